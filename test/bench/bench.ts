/**
 * `npm run bench`: measures what is promised about speed and memory, prints it as a table, writes .cache/bench.json, and ends
 * with 1 where something is over its bound or could not be measured. Words behind it name the rows to measure.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { root } from '../support/root.mjs'
import { BOUNDS, type Measured, type Row, rowOf, table } from './bounds.ts'
import { devReady, devReload } from './dev.ts'
import { execHundred, execIn, execMemory, execOne, execOut, execTwo } from './execs.ts'
import { fetchLarge, fetchSmall } from './fetches.ts'
import { atRest } from './rest.ts'
import { BenchSession } from './running.ts'
import { shellKey, shellPrompt } from './shells.ts'
import { startAgain, startCold, startTen, startWarm } from './starts.ts'
import { treeUnderLoad } from './tree.ts'
import { activation, bundle, windowStart } from './window.ts'

const wanted = process.argv.slice(2)
const wants = (id: string): boolean => wanted.length === 0 || wanted.includes(id)
const results = new Map<string, Measured | Error>()

/** Measures, and keeps the reason where that fails. */
async function measure(ids: readonly string[], take: () => Promise<readonly Measured[]>): Promise<void> {
  if (!ids.some(wants)) return
  process.stderr.write(`measuring ${ids.join(', ')} …\n`)
  const measured = await take().catch((error: unknown) =>
    ids.map(() => (error instanceof Error ? error : new Error(String(error)))),
  )
  for (const [i, id] of ids.entries()) results.set(id, measured[i] ?? new Error('It was not measured.'))
}

const IN_SESSION: readonly (readonly [id: string, take: (bench: BenchSession) => Promise<Measured>])[] = [
  ['start-warm', startWarm],
  ['start-cold', startCold],
  ['start-again', startAgain],
  ['start-ten', startTen],
  ['fetch-1kb', fetchSmall],
  ['fetch-100mb', fetchLarge],
  ['exec', execOne],
  ['exec-100', execHundred],
  ['exec-out', execOut],
  ['exec-in', execIn],
  ['exec-two', execTwo],
  ['exec-memory', execMemory],
  ['shell-key', shellKey],
  ['shell-prompt', shellPrompt],
]

if (IN_SESSION.some(([id]) => wants(id))) {
  await using bench = await BenchSession.open()
  for (const [id, take] of IN_SESSION) await measure([id], async () => [await take(bench)])
}
await measure(['dev-ready'], async () => [await devReady()])
await measure(['dev-reload'], async () => [await devReload()])
await measure(['memory', 'idle'], async () => {
  const { memory, idle } = await atRest()
  return [memory, idle]
})
await measure(['activate', 'activate-bundle'], async () => [await activation(), await bundle()])
await measure(['window-start'], async () => [await windowStart()])
await measure(['tree'], async () => [await treeUnderLoad()])

const rows: Row[] = BOUNDS.filter(({ id }) => wants(id)).map((bound) =>
  rowOf(bound, results.get(bound.id) ?? new Error('It was not measured.')),
)
process.stdout.write(`\n${table(rows)}\n`)
await mkdir(join(root, '.cache'), { recursive: true })
await writeFile(
  join(root, '.cache', 'bench.json'),
  `${JSON.stringify({ at: new Date().toISOString(), rows }, null, 2)}\n`,
)
process.exitCode = rows.every(({ held }) => held) ? 0 : 1
