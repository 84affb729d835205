// Runs the files of a layer.
import { randomUUID } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { root } from '../root.mjs'
import { runFile } from './file.mjs'
import { endProcesses, leaksSince, MARK, onEngine } from './leaks.mjs'

/**
 * The test files of a layer whose paths contain one of `parts`, or all where there are none.
 * @param {string} layer @param {readonly string[]} parts
 * @returns {Promise<string[]>} paths from the root, in alphabetical order
 */
export async function filesOf(layer, parts) {
  const names = await readdir(join(root, 'test', layer), { recursive: true }).catch(() => [])
  return names
    .map((name) => `test/${layer}/${name.replaceAll('\\', '/')}`)
    .filter((file) => file.endsWith('.test.ts') && !file.includes('/node_modules/'))
    .filter((file) => parts.length === 0 || parts.some((part) => file.includes(part)))
    .sort()
}

/**
 * Runs the files of a layer and hands on each result as it comes. What a file has left behind is one more failed test of it:
 * processes, and where the layer uses the engine, what is on that.
 * @param {object} options
 * @param {import('./layers.mjs').Layer} options.layer
 * @param {readonly string[]} options.files
 * @param {string} options.node
 * @param {NodeJS.ProcessEnv} options.env
 * @param {AbortSignal} options.signal
 * @param {(result: import('./file.mjs').FileResult) => void} options.onResult
 */
export async function runLayer({ layer, files, node, env, signal, onResult }) {
  const waiting = [...files]
  const worker = async () => {
    for (let file = waiting.shift(); file !== undefined && !signal.aborted; file = waiting.shift()) {
      onResult(await runTwice(file, { layer, node, env, signal }))
    }
  }
  await Promise.all(Array.from({ length: layer.parallel }, worker))
}

/**
 * A file that fails against a real engine runs once more, alone: what fails twice has failed; what passes then is told as
 * flaky, with its error, so that somebody looks for the cause. Nothing else is run twice.
 * @param {string} file
 * @param {{ layer: import('./layers.mjs').Layer, node: string, env: NodeJS.ProcessEnv, signal: AbortSignal }} options
 */
async function runTwice(file, options) {
  const first = await runChecked(file, options)
  const failed = first.lines.filter(({ outcome }) => outcome === 'fail')
  if (failed.length === 0 || options.signal.aborted || !options.layer.needs.includes('engine')) return first
  const second = await runChecked(file, options)
  if (second.lines.every(({ outcome }) => outcome !== 'fail')) {
    for (const { name, error } of failed) process.stdout.write(`FLAKY ${file} › ${name}\n${error ?? ''}\n`)
  }
  return second
}

/**
 * @param {string} file
 * @param {{ layer: import('./layers.mjs').Layer, node: string, env: NodeJS.ProcessEnv, signal: AbortSignal }} options
 */
async function runChecked(file, { layer, node, env, signal }) {
  const usesEngine = layer.needs.includes('engine')
  const mark = randomUUID()
  const before = usesEngine ? await onEngine() : undefined
  const result = await runFile({
    file,
    node,
    limitSeconds: layer.limitSeconds,
    env: { ...env, [MARK]: mark },
    signal,
  })
  const leaks = await leaksSince(before, mark)
  if (leaks.length > 0) {
    const error = `Left behind:\n${leaks.map((leak) => `  ${leak}`).join('\n')}`
    result.lines.push({ outcome: 'fail', name: 'leaves nothing behind', tookMs: 0, error })
    endProcesses(leaks)
  } else if (usesEngine) {
    result.lines.push({ outcome: 'pass', name: 'leaves nothing behind', tookMs: 0 })
  }
  return result
}

/** The environment of tests: nothing of the caller's that changes what they see. @returns {NodeJS.ProcessEnv} */
export function cleanEnvironment() {
  const { NODE_OPTIONS: _, FORCE_COLOR: __, npm_config_local_prefix: ___, ...env } = process.env
  return { ...env, NO_COLOR: '1' }
}
