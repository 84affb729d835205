/** What the Objects view costs the extension host while much happens: the pure part of it, all of which runs on that one loop. */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { NO_FILTER } from '../../extension/explorer/filter.ts'
import { Objects } from '../../extension/explorer/objects.ts'
import { Refreshes } from '../../extension/explorer/refreshes.ts'
import type { Row } from '../../extension/explorer/row.ts'
import type { Target } from '../../extension/explorer/target.ts'
import type { Happening } from '../../runtime/protocol/events.ts'
import {
  type ClassModel,
  type ContainerState,
  type ObjectModel,
  objectKey,
  type ProcessId,
  type SessionModel,
} from '../../runtime/protocol/model.ts'
import { reduce } from '../../runtime/store.ts'
import type { Measured } from './bounds.ts'

const EVENTS_PER_S = 1000
/** As the window's folders tell their views. */
const TELL_MS = 100
const FOR_MS = 10_000
const BURST_MS = 10

/** What was measured. Times are ms. */
export interface TreeLoad {
  readonly delayP99Ms: number
  /** The longest that one update, or one answer to VS Code, took. */
  readonly longestMs: number
  readonly refreshesPerS: number
  /** Of one core, the events themselves included. */
  readonly cpu: number
}

/** The p99 of the event loop's delay in ms: 1,000 events a second, 200 objects. */
export async function treeUnderLoad(): Promise<Measured> {
  const { delayP99Ms } = await loadTree({ active: 200, all: 200 })
  return { value: delayP99Ms }
}

/**
 * Lets events come to some objects and updates the tree as the view does, each object and its groups open.
 * @param options.active how many objects the events are about
 * @param options.all how many objects there are
 */
export async function loadTree({ active, all }: { active: number; all: number }): Promise<TreeLoad> {
  let model = sessionOf(all)
  const objects = new Objects()
  const refreshes = new Refreshes()
  const opened = (target: Target | undefined) => (target === undefined ? 0 : (objects.row(target)?.made?.length ?? 0))
  let longestMs = 0
  let told = 0
  const timed = (work: () => void): void => {
    const from = performance.now()
    work()
    longestMs = Math.max(longestMs, performance.now() - from)
  }
  objects.update([{ folder: 'file:///p', model }], NO_FILTER)
  answer(objects.roots)

  const delay = monitorEventLoopDelay({ resolution: 1 })
  let events = 0
  const happen = setInterval(() => {
    for (let i = 0; i < (EVENTS_PER_S * BURST_MS) / 1000; i++) {
      model = reduce(model, eventOf(model, events % active, events))
      events++
    }
  }, BURST_MS)
  const tell = setInterval(
    () =>
      timed(() => {
        refreshes.add(objects.update([{ folder: 'file:///p', model }], NO_FILTER))
        const due = refreshes.take(performance.now(), opened)
        if (due.length > 0) told++
        answer(due.flatMap((target) => (target === undefined ? objects.roots : (objects.row(target) ?? []))))
      }),
    TELL_MS,
  )
  const before = process.cpuUsage()
  delay.enable()
  await new Promise((resolve) => setTimeout(resolve, FOR_MS))
  delay.disable()
  clearInterval(happen)
  clearInterval(tell)
  const { user, system } = process.cpuUsage(before)
  return {
    delayP99Ms: delay.percentile(99) / 1e6,
    longestMs,
    refreshesPerS: told / (FOR_MS / 1000),
    cpu: (user + system) / 1000 / FOR_MS,
  }
}

/** VS Code asks for all rows below one that it is told of, and sends them to the window as JSON. */
function answer(rows: readonly Row[]): number {
  return rows.reduce((length, row) => {
    const { id, label, description, icon, menus, sentence, fold, children } = row
    return length + JSON.stringify({ id, label, description, icon, menus, sentence, fold }).length + answer(children)
  }, 0)
}

const CLASS: ClassModel = {
  className: 'Sandbox',
  project: 'agents',
  maxInstances: 1000,
  instanceType: 'basic',
  image: { state: 'ready', image: 'sandbox:1', digest: 'sha256:1', tookMs: 1, sizeBytes: 1 },
}

function running(since: number): ContainerState {
  return {
    state: 'running',
    life: 1,
    since,
    containerId: 'c' as never,
    image: 'sandbox:1',
    internet: false,
    startedMs: 3,
    root: ['node', 'server.mjs'],
  }
}

function sessionOf(amount: number): SessionModel {
  const objects = Array.from({ length: amount }, (_, at): ObjectModel => {
    // Not in the order of names.
    const name = `object ${(at * 7919) % amount}`
    const container = running(Date.now())
    return {
      key: objectKey('Sandbox', `${at}`),
      className: 'Sandbox',
      id: `${at}`,
      name,
      memory: 'in-memory',
      container,
    }
  })
  const worker = { state: 'starting' } as const
  return {
    session: 's',
    engine: { state: 'connecting' },
    projects: [{ name: 'agents', config: '/p/wrangler.jsonc', main: '/p/src/index.ts', worker }],
    classes: [CLASS],
    plainClasses: [],
    objects,
    processes: [],
  }
}

/** States, usage and processes in turn. */
function eventOf(model: SessionModel, at: number, number: number): Happening {
  const object = model.objects[at]
  if (object === undefined) throw new Error(`There is no object ${at}.`)
  const since = Date.now()
  switch (Math.floor(number / 200) % 4) {
    case 0:
      return { type: 'object', object: { ...object, usage: { cpu: number % 1, memoryBytes: number * 1_000_000 } } }
    case 1:
      return { type: 'container', object: object.key, container: { state: 'stopping', life: 1, since, how: 'SIGTERM' } }
    case 2:
      return { type: 'container', object: object.key, container: running(since) }
    default: {
      const end = number % 2 === 0 ? { end: { at: since, exitCode: 0 } } : {}
      return {
        type: 'process',
        process: {
          id: `p${number % 1000}` as ProcessId,
          object: object.key,
          life: 1,
          command: ['node', '-e', `${number}`],
          cwd: '/',
          user: 'root',
          by: 'worker',
          terminal: false,
          stdinOpen: false,
          startedAt: since,
          pid: number,
          bytesIn: 0,
          bytesOut: 0,
          ...end,
        },
      }
    }
  }
}
