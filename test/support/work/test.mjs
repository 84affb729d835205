// `npm test`: sets up, builds, checks, and runs the layers.
import process from 'node:process'
import { chosen } from '../runner/layers.mjs'
import { fileLine, isGood, summary } from '../runner/report.mjs'
import { cleanEnvironment, filesOf, runLayer } from '../runner/run.mjs'
import { prepare } from '../tools/all.mjs'
import { say } from '../tools/say.mjs'

/**
 * @param {readonly string[]} words layers and parts of file names; none: everything, the check included
 * @param {AbortSignal} signal ends it early
 * @returns {Promise<boolean>} whether all is well
 */
export async function work(words, signal) {
  const { layers, parts } = chosen(words)
  const planned = []
  for (const layer of layers) {
    const files = await filesOf(layer.name, parts)
    if (files.length > 0) planned.push({ layer, files })
  }
  if (planned.length === 0) throw new Error(`No test file is called anything like ${words.join(' ')}.`)

  const prepared = await prepare(new Set(planned.flatMap(({ layer }) => layer.needs)), signal)
  try {
    return await buildAndRun(planned, words, prepared, signal)
  } finally {
    await prepared.dispose()
  }
}

/**
 * @param {readonly { layer: import('../runner/layers.mjs').Layer, files: readonly string[] }[]} planned
 * @param {readonly string[]} words
 * @param {import('../tools/all.mjs').Prepared} prepared
 * @param {AbortSignal} signal
 */
async function buildAndRun(planned, words, prepared, signal) {
  /** @type {import('../runner/file.mjs').FileResult[]} */
  const results = []
  /** @param {import('../runner/file.mjs').FileResult} result */
  const onResult = (result) => {
    results.push(result)
    process.stdout.write(`${fileLine(result)}\n`)
  }

  say('Building and checking …')
  const { builtAndChecked } = await import('./build.mjs')
  for (const result of await builtAndChecked(words.length === 0)) onResult(result)
  for (const { layer, files } of planned) {
    if (signal.aborted) break
    process.stdout.write(`\n${layer.name}\n`)
    const env = { ...cleanEnvironment(), ...prepared.env }
    await runLayer({ layer, files, node: prepared.node, env, signal, onResult })
  }
  if (signal.aborted) process.stdout.write('\nEnded before all tests had run.\n')
  process.stdout.write(`${summary(results)}\n`)
  return isGood(results) && !signal.aborted
}
