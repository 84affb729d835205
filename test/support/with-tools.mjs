#!/usr/bin/env node
// The one way in for people and CI: `npm test`, `npm run demo` and `npm run bench` come here. From a bare machine (Node 20 and
// npm, no node_modules, no engine) it sets up what is missing, says so, and does the work. What is there is not touched.
//
//     node test/support/with-tools.mjs test [layer…] [part of a file name…]
//     node test/support/with-tools.mjs demo | bench | electron | screenshots | package
import process from 'node:process'
import { Missing } from './tools/say.mjs'

/** What runs after the set-up; each is imported only when asked for, because most needs node_modules. */
const WORK = {
  test: () => import('./work/test.mjs'),
  demo: () => import('./work/demo.mjs'),
  bench: () => import('./work/bench.mjs'),
  electron: () => import('./work/electron.mjs'),
  screenshots: () => import('./work/screenshots.mjs'),
  package: () => import('./work/package.mjs'),
}

const [what = 'test', ...words] = process.argv.slice(2)
if (!(what in WORK)) throw new Error(`"${what}" is none of ${Object.keys(WORK).join(', ')}.`)

const stop = new AbortController()
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
  process.on(signal, () => stop.abort(new Error(`Ended by ${signal}.`)))
}

try {
  const { work } = await WORK[/** @type {keyof typeof WORK} */ (what)]()
  const good = await work(words, stop.signal)
  process.exitCode = good && !stop.signal.aborted ? 0 : 1
} catch (error) {
  process.stderr.write(`\n${stop.signal.aborted ? stop.signal.reason.message : textOf(error)}\n`)
  process.exitCode = 1
}

/** What a person has to do is a sentence; anything else is a mistake of ours, with its stack. @param {unknown} error */
function textOf(error) {
  if (error instanceof Missing) return error.message
  return error instanceof Error ? error.stack : String(error)
}
