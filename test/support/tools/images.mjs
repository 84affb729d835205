// Base images for the demo and tests, made from what the machine has: no registry, no network, a few seconds.

import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cp, mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import process from 'node:process'
import { find, must, run } from './command.mjs'
import { BUSYBOX, ensurePackages } from './packages.mjs'
import { say } from './say.mjs'

/** busybox alone, and busybox with Node: stands in for `node:22-alpine` and its like. */
export const BASES = { busybox: 'moorage-base:busybox', node: 'moorage-base:node' }

/** Raise this when something about the recipe changes, so that older images are made anew. */
const RECIPE = 1

/** Says which recipe an image was made by. */
const LABEL = 'moorage.base'

const PASSWD =
  'root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000:app:/home/app:/bin/sh\nnode:x:1000:1000:node:/home/node:/bin/sh\n'
const GROUP = 'root:x:0:\napp:x:1000:\nnode:x:1000:\n'

/**
 * Makes the base images that are not there yet, and says under which names tests and demo find them. Where they cannot be made
 * (no Linux), none is named, and the public base that a Dockerfile names has to do.
 * @param {string} node path of a Node, put into the image with the libraries that it needs
 * @param {AbortSignal} signal
 * @returns {Promise<Record<string, string>>} environment variables
 */
export async function ensureBases(node, signal) {
  if (process.platform !== 'linux') return {}
  await ensurePackages([BUSYBOX], signal)
  const busybox = find(BUSYBOX.program) ?? BUSYBOX.program
  await ensureBase(BASES.busybox, busybox, [], signal)
  await ensureBase(BASES.node, busybox, [node], signal)
  return { MOORAGE_TEST_BASE: BASES.node, MOORAGE_TEST_BASE_BUSYBOX: BASES.busybox }
}

/** @param {string} name @param {string} busybox @param {readonly string[]} programs @param {AbortSignal} signal */
async function ensureBase(name, busybox, programs, signal) {
  const recipe = await recipeOf([busybox, ...programs])
  const there = await run('docker', ['image', 'inspect', '--format', `{{index .Config.Labels "${LABEL}"}}`, name], {
    signal,
  })
  if (there.code === 0 && there.output.trim() === recipe) return
  say(`Making the base image ${name} …`)
  const folder = await mkdtemp(join(tmpdir(), 'moorage-base-'))
  try {
    await fill(folder, busybox, programs, signal)
    const changes = [`LABEL ${LABEL}=${recipe}`, 'ENV PATH=/usr/local/bin:/usr/bin:/bin', 'CMD ["/bin/sh"]']
    const tar = spawn('tar', ['--create', '--owner=0', '--group=0', '--numeric-owner', '--directory', folder, '.'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const args = ['import', ...changes.flatMap((change) => ['--change', change]), '-', name]
    await must('docker', args, { input: tar.stdout, signal })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/**
 * A file system with busybox and some programs, each at its own place with its libraries at theirs.
 * @param {string} folder @param {string} busybox @param {readonly string[]} programs @param {AbortSignal} signal
 */
async function fill(folder, busybox, programs, signal) {
  for (const name of ['bin', 'etc', 'home/app', 'home/node', 'root', 'usr/local/bin', 'var']) {
    await mkdir(join(folder, name), { recursive: true })
  }
  for (const name of ['tmp', 'var/tmp']) await must('install', ['--directory', '--mode=1777', join(folder, name)])
  for (const home of ['home/app', 'home/node']) {
    if (process.getuid?.() === 0) await must('chown', ['1000:1000', join(folder, home)])
  }
  await writeFile(join(folder, 'etc/passwd'), PASSWD)
  await writeFile(join(folder, 'etc/group'), GROUP)
  await cp(busybox, join(folder, 'bin/busybox'))
  const applets = (await must(busybox, ['--list'], { signal }))
    .split('\n')
    .filter((name) => name !== '' && name !== 'busybox')
  await Promise.all(applets.map((name) => symlink('busybox', join(folder, 'bin', name))))
  for (const program of programs) {
    await cp(await realpath(program), join(folder, 'usr/local/bin', basename(program)))
    for (const library of librariesIn(await must('ldd', [program], { signal }))) {
      await mkdir(join(folder, dirname(library)), { recursive: true })
      await cp(await realpath(library), join(folder, library))
    }
  }
}

/** The libraries that `ldd` lists, the loader included. @param {string} output */
export function librariesIn(output) {
  return [...output.matchAll(/(?:=> |^\s*)(\/\S+) \(0x/gm)].map((match) => match[1] ?? '')
}

/** Changes when the recipe or a program does. @param {readonly string[]} programs */
async function recipeOf(programs) {
  const hash = createHash('sha256').update(`${RECIPE}`)
  for (const program of programs) hash.update(await readFile(program))
  return hash.digest('hex').slice(0, 16)
}
