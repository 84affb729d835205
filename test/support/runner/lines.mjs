// A reporter for node:test: one JSON line for each test that ended. It runs inside the process of the test file.
import process from 'node:process'
import { inspect } from 'node:util'

// The runner sends TERM to a file whose time is over: say what kept it open.
process.once('SIGTERM', () => {
  process.stderr.write(`Still open: ${process.getActiveResourcesInfo().join(', ') || 'nothing that Node knows of'}\n`)
  process.exit(124)
})

/**
 * @typedef {object} Line a test that ended
 * @property {'pass' | 'fail' | 'skip'} outcome
 * @property {string} name with the names of the suites around it
 * @property {number} tookMs
 * @property {string} [error] as text, with its stack
 */

/**
 * @param {AsyncIterable<{ type: string, data: any }>} source
 * @returns {AsyncGenerator<string>}
 */
export default async function* lines(source) {
  /** @type {string[]} */
  const names = []
  for await (const { type, data } of source) {
    if (type === 'test:start') names[data.nesting] = data.name
    const line = lineOf(type, data, names)
    if (line !== undefined) yield `${JSON.stringify(line)}\n`
  }
}

/**
 * What an event tells, undefined where it tells nothing new: a suite is no test, and one that fails only because a test in
 * it did has been told already.
 * @param {string} type @param {any} data @param {readonly string[]} names
 * @returns {Line | undefined}
 */
function lineOf(type, data, names) {
  if (type !== 'test:pass' && type !== 'test:fail') return undefined
  const error = data.details?.error
  if (error?.failureType === 'subtestsFailed') return undefined
  if (data.details?.type === 'suite' && type === 'test:pass') return undefined
  const name = [...names.slice(0, data.nesting), data.name].join(' › ')
  const tookMs = data.details?.duration_ms ?? 0
  if (data.skip !== undefined || data.todo !== undefined) return { outcome: 'skip', name, tookMs }
  if (type === 'test:pass') return { outcome: 'pass', name, tookMs }
  const text = inspect(error?.cause ?? error, { colors: false, depth: 6 })
  return { outcome: 'fail', name, tookMs, error: text.replace(/^ *at .*\(?node:internal.*\n/gm, '') }
}
