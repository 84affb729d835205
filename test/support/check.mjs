#!/usr/bin/env node
// `npm run check`: types, lint and format, rooms, manifest, documents, bundle budgets. All at once, in seconds; every
// problem is printed, and the exit code is 1 if there is one. Needs node_modules and nothing else; runs on Node 20.
import process from 'node:process'
import { runChecks } from './check/all.mjs'

const results = await runChecks()
for (const { name, problems } of results) {
  if (problems.length > 0) process.stdout.write(`\n${name}\n${problems.map((problem) => `  ${problem}\n`).join('')}`)
}
const words = results.map(
  ({ name, problems, tookMs }) => `${name} ${problems.length || 'ok'} (${Math.round(tookMs)} ms)`,
)
process.stdout.write(`\n${words.join(', ')}\n`)
process.exitCode = results.some((result) => result.problems.length > 0) ? 1 : 0
