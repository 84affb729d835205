// Runs one test file in a process group of its own, within its time.
import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { root } from '../root.mjs'

const REPORTER = pathToFileURL(fileURLToPath(new URL('./lines.mjs', import.meta.url))).href

/** From TERM to KILL of a file whose time is over, in ms: enough to dispose a session, which takes 2 s. */
const GRACE_MS = 5000

/** After the end of a file's process, so long is waited for the rest of what it printed, in ms. */
const LAST_OUTPUT_MS = 500

/** Of what a file printed, so much is kept for the report, from the end. */
const OUTPUT_CHARACTERS = 6000

/**
 * @typedef {object} FileResult
 * @property {string} file path from the root
 * @property {import('./lines.mjs').Line[]} lines
 * @property {number} tookMs
 * @property {string} output what it printed, its end
 */

/**
 * Runs a file and resolves with what its tests said. What is wrong with the file as a whole (crashed, over its time, no test
 * in it) is one more failed test. When `signal` is aborted the file is ended like one whose time is over.
 * @param {object} options
 * @param {string} options.file path from the root
 * @param {string} options.node the Node to run it with
 * @param {number} options.limitSeconds
 * @param {NodeJS.ProcessEnv} options.env
 * @param {AbortSignal} options.signal
 * @returns {Promise<FileResult>}
 */
export async function runFile({ file, node, limitSeconds, env, signal }) {
  const folder = await mkdtemp(join(tmpdir(), 'moorage-test-'))
  const report = join(folder, 'lines')
  const start = performance.now()
  try {
    const args = [`--test-reporter=${REPORTER}`, `--test-reporter-destination=${report}`, file]
    const { code, late, output } = await ended(node, args, { limitSeconds, env, signal })
    const lines = (await readFile(report, 'utf8').catch(() => ''))
      .split('\n')
      .filter((line) => line.endsWith('}'))
      .map((line) => /** @type {import('./lines.mjs').Line} */ (JSON.parse(line)))
    const wrong = wrongWithFile(lines, { code, late, limitSeconds })
    if (wrong !== undefined) lines.push({ outcome: 'fail', name: 'the file as a whole', tookMs: 0, error: wrong })
    return { file, lines, tookMs: performance.now() - start, output: output.slice(-OUTPUT_CHARACTERS) }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/**
 * @param {readonly import('./lines.mjs').Line[]} lines
 * @param {{ code: number | string, late: boolean, limitSeconds: number }} end how its process ended
 * @returns {string | undefined} what is wrong beyond the tests that failed
 */
export function wrongWithFile(lines, { code, late, limitSeconds }) {
  if (late) return `It had not ended after ${limitSeconds} s, and was ended.`
  if (lines.length === 0) return `No test in it ran; its process ended with ${code}.`
  if (code !== 0 && !lines.some((line) => line.outcome === 'fail')) {
    return `All its tests passed, but its process ended with ${code}.`
  }
  return undefined
}

/**
 * @param {string} node @param {string[]} args
 * @param {{ limitSeconds: number, env: NodeJS.ProcessEnv, signal: AbortSignal }} options
 * @returns {Promise<{ code: number | string, late: boolean, output: string }>}
 */
function ended(node, args, { limitSeconds, env, signal }) {
  return new Promise((resolve, reject) => {
    const child = spawn(node, args, { cwd: root, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    let late = false
    /** @type {NodeJS.Timeout | undefined} */
    let killer
    const end = () => {
      toGroup(child.pid, 'SIGTERM')
      killer = setTimeout(() => toGroup(child.pid, 'SIGKILL'), GRACE_MS)
    }
    const timer = setTimeout(() => {
      late = true
      end()
    }, limitSeconds * 1000)
    signal.addEventListener('abort', end)
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk))
    child.on('error', reject)
    child.on('exit', (code, by) => {
      clearTimeout(timer)
      clearTimeout(killer)
      signal.removeEventListener('abort', end)
      const done = () => resolve({ code: code ?? by ?? 'unknown', late, output })
      child.on('close', done)
      // A process that the file left behind may hold the pipes for ever. The leak check finds it.
      setTimeout(() => {
        for (const stream of [child.stdout, child.stderr]) stream.destroy()
        done()
      }, LAST_OUTPUT_MS).unref()
    })
  })
}

/** Windows knows no groups there: the process alone. @param {number | undefined} pid @param {NodeJS.Signals} signal */
function toGroup(pid, signal) {
  if (pid === undefined) return
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, signal)
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'ESRCH') throw error
  }
}
