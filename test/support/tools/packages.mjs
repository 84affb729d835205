// Programs that come from the system's packages.
import { existsSync } from 'node:fs'
import { isAbsolute } from 'node:path'
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { find, run } from './command.mjs'
import { Missing, say } from './say.mjs'

/**
 * A program, or another file by its absolute path, and the Debian packages that bring it.
 * @typedef {{ program: string, packages: readonly string[] }} Program
 */

/** The engine itself; iptables is what dockerd needs and docker.io only recommends. @type {Program} */
export const ENGINE = { program: 'dockerd', packages: ['docker.io', 'iptables'] }

/** The engine's client. Debian 12 has it in docker.io; later ones do not. @type {Program} */
export const CLIENT = { program: 'docker', packages: ['docker-cli'] }

/** A static busybox, for the base images. @type {Program} */
export const BUSYBOX = { program: 'busybox', packages: ['busybox-static'] }

/** workerd does not start where Debian's certificates are missing; other systems keep theirs elsewhere. @type {Program} */
const CERTIFICATES = { program: '/etc/ssl/certs/ca-certificates.crt', packages: ['ca-certificates'] }

/** What a session needs besides an engine. */
export const FOR_SESSIONS = find('apt-get') === undefined ? [] : [CERTIFICATES]

/** Native modules of the VS Code server are compiled for the Node that runs it. @type {readonly Program[]} */
export const FOR_VSCODE = [
  { program: 'g++', packages: ['g++'] },
  { program: 'make', packages: ['make'] },
  { program: 'python3', packages: ['python3'] },
]

/** What only tests need: the native program is built anew for both architectures, and a browser shows VS Code. */
export const FOR_TESTS = [
  BUSYBOX,
  { program: 'musl-gcc', packages: ['musl-tools'] },
  { program: 'aarch64-linux-gnu-gcc', packages: ['gcc-aarch64-linux-gnu'] },
  { program: '/usr/aarch64-linux-gnu/include/linux/rtnetlink.h', packages: ['linux-libc-dev-arm64-cross'] },
  { program: 'qemu-aarch64-static', packages: ['qemu-user-static'] },
  // Tests of the network look at it from outside, and make networks of their own.
  { program: 'ip', packages: ['iproute2'] },
  ...FOR_VSCODE,
  { program: 'chromium', packages: ['chromium'] },
  // Pictures of VS Code are made in the font that its designs are drawn in.
  { program: '/usr/share/fonts/opentype/inter', packages: ['fonts-inter'] },
]

/** While another apt holds its locks we try again this often, in ms, and this long. */
const LOCKED_RETRY_MS = 3000
const LOCKED_FOR_MS = 300_000

/**
 * Installs what is missing.
 * @param {readonly Program[]} programs @param {AbortSignal} signal
 * @throws Missing with the command to run, where we may not install
 */
export async function ensurePackages(programs, signal) {
  const missing = programs.filter(({ program }) => !isThere(program))
  const packages = [...new Set(missing.flatMap((one) => one.packages))]
  if (packages.length === 0) return
  const aptGet = find('apt-get')
  if (aptGet === undefined || process.getuid?.() !== 0) {
    const names = missing.map(({ program }) => program).join(', ')
    throw new Missing(
      aptGet === undefined
        ? `These programs are missing: ${names}. On Debian they come with: apt-get install ${packages.join(' ')}`
        : `These programs are missing: ${names}. Only root may install them; run:\n\n    sudo apt-get install ${packages.join(' ')}\n`,
    )
  }
  say(`Installing with apt-get: ${packages.join(' ')} …`)
  await apt(['update'], signal)
  await apt(['install', '--yes', '--no-install-recommends', ...packages], signal)
}

/** @param {string} program */
function isThere(program) {
  return isAbsolute(program) ? existsSync(program) : find(program) !== undefined
}

/** @param {readonly string[]} args @param {AbortSignal} signal */
async function apt(args, signal) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const until = performance.now() + LOCKED_FOR_MS
  for (let told = false; ; told = true) {
    const { code, output } = await run('apt-get', ['--quiet', ...args], { env, signal })
    signal.throwIfAborted()
    if (code === 0) return
    if (!isLocked(output) || performance.now() > until) {
      throw new Error(`apt-get ${args.join(' ')} ended with ${code}:\n${output.slice(-3000)}`)
    }
    if (!told) say('Another apt is at work; waiting for it …')
    await sleep(LOCKED_RETRY_MS, undefined, { signal })
  }
}

/** Whether apt failed only because another one was at work. @param {string} output */
export function isLocked(output) {
  return /Could not get lock|Unable to (acquire|lock)|is another process using it/i.test(output)
}
