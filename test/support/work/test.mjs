// `npm test`: sets up, builds, checks, and runs the layers. The count is the last line, whatever happens.
import process from 'node:process'
import { chosen } from '../runner/layers.mjs'
import { fileLine, isGood, summary } from '../runner/report.mjs'
import { cleanEnvironment, filesOf, runLayer } from '../runner/run.mjs'
import { prepare } from '../tools/all.mjs'
import { Missing, say } from '../tools/say.mjs'

/**
 * @typedef {{ layer: import('../runner/layers.mjs').Layer, files: readonly string[] }} Planned
 * @typedef {(result: import('../runner/file.mjs').FileResult) => void} OnResult
 */

/**
 * @param {readonly string[]} words layers and parts of file names; none: everything, the check included
 * @param {AbortSignal} signal ends it early
 * @returns {Promise<boolean>} whether all is well
 */
export async function work(words, signal) {
  /** @type {import('../runner/file.mjs').FileResult[]} */
  const results = []
  /** @type {OnResult} */
  const onResult = (result) => {
    results.push(result)
    process.stdout.write(`${fileLine(result)}\n`)
  }
  try {
    await setUpAndRun(words, signal, onResult)
  } catch (error) {
    onResult(setUpFailed(error, signal))
  }
  process.stdout.write(`${summary(results)}\n`)
  return isGood(results)
}

/** @param {readonly string[]} words @param {AbortSignal} signal @param {OnResult} onResult */
async function setUpAndRun(words, signal, onResult) {
  const { layers, parts } = chosen(words)
  /** @type {Planned[]} */
  const planned = []
  for (const layer of layers) {
    const files = await filesOf(layer.name, parts)
    if (files.length > 0) planned.push({ layer, files })
  }
  if (planned.length === 0) throw new Missing(`No test file is called anything like ${words.join(' ')}.`)
  const prepared = await prepare(new Set(planned.flatMap(({ layer }) => layer.needs)), signal)
  try {
    await buildAndRun(planned, words.length === 0, prepared, signal, onResult)
    signal.throwIfAborted()
  } finally {
    await prepared.dispose()
  }
}

/**
 * @param {readonly Planned[]} planned
 * @param {boolean} check whether the checks belong to it
 * @param {import('../tools/all.mjs').Prepared} prepared
 * @param {AbortSignal} signal
 * @param {OnResult} onResult
 */
async function buildAndRun(planned, check, prepared, signal, onResult) {
  say(check ? 'Building and checking …' : 'Building …')
  // Needs node_modules, which are there only now.
  const { builtAndChecked } = await import('./build.mjs')
  for (const result of await builtAndChecked(check)) onResult(result)
  for (const { layer, files } of planned) {
    if (signal.aborted) return
    process.stdout.write(`\n${layer.name}\n`)
    const env = { ...cleanEnvironment(), ...prepared.env }
    await runLayer({ layer, files, node: prepared.node, env, signal, onResult })
  }
}

/**
 * What keeps tests from running at all, told as one more failed test.
 * @param {unknown} error @param {AbortSignal} signal
 * @returns {import('../runner/file.mjs').FileResult}
 */
function setUpFailed(error, signal) {
  const reason = signal.aborted ? signal.reason : error
  const text = reason instanceof Error && !(reason instanceof Missing || signal.aborted) ? reason.stack : undefined
  const message = text ?? (reason instanceof Error ? reason.message : String(reason))
  const name = signal.aborted ? 'all tests run' : 'everything needed is there'
  return { file: 'npm test', lines: [{ outcome: 'fail', name, tookMs: 0, error: message }], tookMs: 0, output: '' }
}
