// `npm run bench`: sets up what the benchmarks need, builds, and runs them.
import process from 'node:process'
import { root } from '../root.mjs'
import { prepare } from '../tools/all.mjs'
import { must } from '../tools/command.mjs'
import { say } from '../tools/say.mjs'
import { succeeds } from './demo.mjs'

/** What runs the benchmarks and prints the table; run with Node 24 from source. */
const BENCH = 'test/bench/bench.ts'

/**
 * @param {readonly string[]} words handed on to the benchmarks
 * @param {AbortSignal} signal ends it early
 * @returns {Promise<boolean>} whether every ratio is within its bound
 */
export async function work(words, signal) {
  const needs = /** @type {const} */ (['packages', 'engine', 'bases', 'vscode'])
  const prepared = await prepare(new Set(needs), signal)
  try {
    say('Building …')
    await must(process.execPath, ['build.mjs'], { cwd: root, signal })
    return await succeeds(prepared.node, [BENCH, ...words], { ...process.env, ...prepared.env }, signal)
  } finally {
    await prepared.dispose()
  }
}
