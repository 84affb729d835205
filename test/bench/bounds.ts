/** What is measured, and what it may be at most. */

/** A ratio of medians taken in one run, or a plain value. */
export interface Bound {
  readonly id: string
  /** What of ours. */
  readonly what: string
  /** What it is compared with; absent for a plain value. */
  readonly against?: string
  readonly atMost: number
  /** Of a plain value, for people. */
  readonly unit?: string
}

export const BOUNDS: readonly Bound[] = [
  {
    id: 'start-warm',
    what: 'start() until the port answers, warm container there',
    against: 'docker run -d until it answers',
    atMost: 0.08,
  },
  {
    id: 'start-cold',
    what: 'start() until the port answers, no warm container left',
    against: 'docker run -d until it answers',
    atMost: 0.8,
  },
  {
    id: 'start-again',
    what: 'destroy() + start() of the same object until it answers',
    against: 'docker run -d until it answers',
    atMost: 0.5,
  },
  {
    id: 'start-ten',
    what: '10 objects started at once, all answering',
    against: '10 docker run -d at once',
    atMost: 0.7,
  },
  {
    id: 'fetch-1kb',
    what: 'getTcpPort().fetch of 1 KB, one after the other',
    against: 'fetch from the same Worker to loopback',
    atMost: 2,
  },
  {
    id: 'fetch-100mb',
    what: 'getTcpPort().fetch of 100 MB',
    against: 'fetch from the same Worker to loopback',
    atMost: 1.5,
  },
  {
    id: 'dev-ready',
    what: 'moorage dev until Ready, image built before',
    against: 'wrangler dev, containers off',
    atMost: 1.25,
  },
  {
    id: 'dev-reload',
    what: 'save of a Worker file until the new code answers',
    against: 'wrangler dev, containers off',
    atMost: 1.25,
  },
  {
    id: 'exec',
    what: "exec(['true']) in the Worker until exitCode",
    against: 'docker exec of the same',
    atMost: 0.08,
  },
  { id: 'exec-100', what: '100 of them at once, all settled', against: '100 docker exec at once', atMost: 0.08 },
  {
    id: 'exec-out',
    what: '256 MiB of stdout read in the Worker',
    against: 'docker exec into a pipe',
    atMost: 1,
  },
  {
    id: 'exec-in',
    what: '256 MiB of stdin written by the Worker',
    against: 'docker exec -i from a pipe',
    atMost: 1,
  },
  {
    id: 'exec-two',
    what: 'two execs of 64 MiB on stdout and stderr at once',
    against: 'one after the other',
    atMost: 1.1,
  },
  {
    id: 'exec-memory',
    what: 'memory of runtime and workerd while 1 GiB waits for a reader that has stopped',
    atMost: 16,
    unit: '+ MiB',
  },
  { id: 'memory', what: 'our processes in the engine: gateway, sandboxes, agents of 5 objects', atMost: 8, unit: 'MB' },
  { id: 'idle', what: 'the session idle, with 5 objects running', atMost: 1, unit: '% of a core' },
  {
    id: 'shell-key',
    what: 'key to echo in a shell of a person',
    against: 'docker exec -it in a pty of the same kind',
    atMost: 1,
  },
  {
    id: 'shell-prompt',
    what: 'a shell opened, until its prompt',
    against: 'docker exec -it in a pty of the same kind',
    atMost: 0.5,
  },
  { id: 'activate', what: 'activate() in VS Code until it returns', atMost: 20, unit: 'ms' },
  { id: 'activate-bundle', what: 'what is loaded before that, dist/extension.cjs', atMost: 150, unit: 'kB' },
  {
    id: 'window-start',
    what: 'Start in VS Code until the first object shows, image built before',
    against: 'moorage dev until Ready',
    atMost: 1.25,
  },
  { id: 'tree', what: 'event loop delay, p99: 1,000 events/s of 200 objects into the tree', atMost: 20, unit: 'ms' },
]

/** What was measured for a bound: times in ms, or a plain value. */
export type Measured =
  | { readonly ours: readonly number[]; readonly theirs: readonly number[] }
  | { readonly value: number }

/** A bound and whether it is held. */
export interface Row extends Bound {
  /** Median times, in ms. */
  readonly oursMs?: number
  readonly theirsMs?: number
  /** The ratio, or the value; absent where it could not be measured. */
  readonly is?: number
  readonly runs?: number
  readonly held: boolean
  /** Why it could not be measured. */
  readonly missing?: string
}

/** The middle of some numbers; of an even count the mean of the two. @throws RangeError of none */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const high = sorted[Math.floor(sorted.length / 2)]
  const low = sorted[Math.floor((sorted.length - 1) / 2)]
  if (high === undefined || low === undefined) throw new RangeError('There is no median of nothing.')
  return (low + high) / 2
}

/** Compares what was measured with its bound. */
export function rowOf(bound: Bound, measured: Measured | Error): Row {
  if (measured instanceof Error) return { ...bound, held: false, missing: measured.message }
  if ('value' in measured) return { ...bound, is: measured.value, held: measured.value <= bound.atMost }
  const oursMs = median(measured.ours)
  const theirsMs = median(measured.theirs)
  const is = oursMs / theirsMs
  return { ...bound, oursMs, theirsMs, is, runs: measured.ours.length, held: is <= bound.atMost }
}

/** A table for people. */
export function table(rows: readonly Row[]): string {
  const ms = (value: number | undefined) =>
    value === undefined ? '' : value < 10 ? value.toFixed(1) : value.toFixed(0)
  const number = (value: number | undefined) =>
    value === undefined ? 'missing' : value < 10 ? value.toFixed(3) : value.toFixed(1)
  const cells = [
    ['', 'what', 'against', 'ours ms', 'theirs ms', 'is', 'at most', 'runs'],
    ...rows.map((row) => [
      row.held ? '✓' : '✗',
      row.what,
      row.against ?? row.unit ?? '',
      ms(row.oursMs),
      ms(row.theirsMs),
      number(row.is),
      String(row.atMost),
      String(row.runs ?? ''),
    ]),
  ]
  const widths = cells[0]?.map((_, column) => Math.max(...cells.map((line) => line[column]?.length ?? 0))) ?? []
  const lines = cells.map((line) =>
    line
      .map((cell, i) => (i > 2 ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)))
      .join('  ')
      .trimEnd(),
  )
  const missing = rows.flatMap(({ what, missing }) => (missing === undefined ? [] : [`${what}: ${missing}`]))
  return [...lines, ...missing].join('\n')
}
