// The Docker engine: one that answers is used as it is; one that is only installed is started, and stopped again at the end.
import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { cacheFolder } from './cache.mjs'
import { find, run } from './command.mjs'
import { CLIENT, ENGINE, ensurePackages } from './packages.mjs'
import { Missing, say } from './say.mjs'

/** An engine that we start answers within this time, in ms; 5 s is usual. */
const START_MS = 90_000

/** So long a stopped engine may take to end, in ms, before it is killed. */
const STOP_MS = 15_000

/**
 * @typedef {object} Engine
 * @property {boolean} started whether it was started here
 * @property {() => Promise<void>} stop stops it if it was started here
 */

/**
 * Makes sure that an engine answers.
 * @param {AbortSignal} signal
 * @returns {Promise<Engine>}
 */
export async function ensureEngine(signal) {
  if (await answers()) return { started: false, stop: async () => {} }
  if (process.platform !== 'linux') throw new Missing('No container engine answers. Start Docker, then run this again.')
  await ensurePackages([ENGINE], signal)
  await ensurePackages([CLIENT], signal)
  if (await answers()) return { started: false, stop: async () => {} }
  if (process.getuid?.() !== 0) {
    throw new Missing(
      'Docker is installed, but not running. Only root may start it; run:\n\n    sudo systemctl start docker\n',
    )
  }
  return start(signal)
}

/** Whether the engine that the docker client is set to answers. */
async function answers() {
  if (find('docker') === undefined) return false
  const { code } = await run('docker', ['version', '--format', '{{.Server.Version}}'], { timeoutMs: 10_000 })
  return code === 0
}

/** @param {AbortSignal} signal @returns {Promise<Engine>} */
async function start(signal) {
  const folder = cacheFolder()
  mkdirSync(folder, { recursive: true })
  const log = join(folder, 'dockerd.log')
  say(`Starting the Docker engine, which is installed and not running (log: ${log}) …`)
  const out = openSync(log, 'w')
  // In a process group of its own: Ctrl-C must not end it before what runs on it is cleaned up.
  const child = spawn(find('dockerd') ?? 'dockerd', [], { detached: true, stdio: ['ignore', out, out] })
  closeSync(out)
  /** @type {Promise<void>} */
  const ended = new Promise((resolve) => {
    child.once('exit', () => resolve())
    child.once('error', () => resolve())
  })
  const stop = async () => {
    say('Stopping the Docker engine that was started here …')
    child.kill('SIGTERM')
    const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
    await ended
    clearTimeout(late)
  }
  const until = performance.now() + START_MS
  while (!(await answers())) {
    const failed = child.exitCode !== null || child.pid === undefined || performance.now() > until
    if (!failed && !signal.aborted) {
      await sleep(200)
      continue
    }
    if (child.exitCode === null && child.pid !== undefined) await stop()
    signal.throwIfAborted()
    const lines = (await readFile(log, 'utf8')).trimEnd().split('\n')
    throw new Error(`The Docker engine did not start. The end of its log:\n${lines.slice(-15).join('\n')}`)
  }
  return { started: true, stop }
}
