import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Node, nodesOf } from '../../../extension/explorer/nodes.ts'
import {
  type ClassModel,
  type ContainerState,
  type End,
  type ObjectModel,
  objectKey,
  type ProjectModel,
  type Reason,
  type SessionModel,
} from '../../../runtime/protocol/model.ts'

const MINUTE = 60_000
const NOW = new Date(2026, 10, 24, 14, 14, 11).getTime()

const QUOTES: ClassModel = {
  className: 'Quotes',
  project: 'quotes',
  maxInstances: 5,
  instanceType: 'basic',
  image: { state: 'ready', image: 'quotes:1', digest: 'sha256:1', tookMs: 1, sizeBytes: 1 },
}

const RUNNING = {
  state: 'running',
  life: 1,
  since: NOW - 12 * MINUTE,
  containerId: 'c' as never,
  image: 'moorage/quotes-quotes:9c41e2d0a43c',
  internet: false,
  startedMs: 3,
} as const

function project(name: string, port: number): ProjectModel {
  const worker = { state: 'ready', url: `http://127.0.0.1:${port}/`, inspectorUrl: undefined } as const
  return { name, config: `/p/${name}/wrangler.jsonc`, worker }
}

function object(name: string | undefined, container: ContainerState, rest: Partial<ObjectModel> = {}): ObjectModel {
  const id = '4f1c09e2'.padEnd(60, '0').concat('77ab')
  return {
    key: objectKey('Quotes', name ?? id),
    className: 'Quotes',
    id,
    ...(name === undefined ? {} : { name }),
    memory: 'in-memory',
    container,
    ...rest,
  }
}

function ended(state: 'stopped' | 'failed', reason: Reason): ContainerState {
  const end: End = { at: NOW - 2 * MINUTE, reason, message: '', advice: [], lastLog: [] }
  return { state, life: 1, end }
}

function session(objects: readonly ObjectModel[], rest: Partial<SessionModel> = {}): SessionModel {
  return {
    session: 's',
    engine: { state: 'connecting' },
    projects: [project('quotes', 8787)],
    classes: [QUOTES],
    objects,
    processes: [],
    ...rest,
  }
}

/** Icon, label and description of each row, two spaces a level. */
function text(nodes: readonly Node[], indent = ''): string[] {
  return nodes.flatMap(({ icon, label, description, children }) => [
    `${indent}${icon.name} ${label}${description === '' ? '' : ` | ${description}`}`,
    ...text(children, `${indent}  `),
  ])
}

function rows(objects: readonly ObjectModel[], rest: Partial<SessionModel> = {}): string[] {
  return text(nodesOf(session(objects, rest), NOW))
}

/** The row of the only object, without its class and children. */
function row(container: ContainerState, rest: Partial<ObjectModel> = {}): string | undefined {
  return rows([object('alice', container, rest)])[1]?.trim()
}

describe('the tree', () => {
  it('lists class, object and container', () => {
    assert.deepEqual(rows([object('alice', RUNNING)]), [
      'symbol-class Quotes | 1 of 1 running',
      '  vm-running alice | running 12m',
      '    package quotes-quotes:9c41e2 | basic · since 14:02:11',
    ])
  })

  it('lists objects in the order of their names, those without one last', () => {
    const none = { state: 'none' } as const
    assert.deepEqual(rows([object(undefined, none), object('shelf 10', none), object('shelf 9', none)]), [
      'symbol-class Quotes | 0 of 3 running',
      '  vm shelf 9 | not started',
      '  vm shelf 10 | not started',
      '  vm 4f1c09e2…77ab | not started',
    ])
  })

  it('counts what runs, has failed and starts, and leaves out zeros', () => {
    const failed = ended('failed', { kind: 'exited', exitCode: 1 })
    const starting = { state: 'starting', life: 1, since: NOW, phase: 'port' } as const
    const objects = [object('a', RUNNING), object('b', failed), object('c', starting)]
    assert.equal(rows(objects)[0], 'symbol-class Quotes | 1 of 3 running · 1 failed · 1 starting')
    assert.deepEqual(rows([]), ['symbol-class Quotes'])
  })

  it('puts classes below their projects where there are several', () => {
    const projects = [project('quotes', 8787), project('agents', 8788)]
    const classes = [QUOTES, { ...QUOTES, className: 'Agent', project: 'agents' }]
    assert.deepEqual(rows([], { projects, classes }), [
      'root-folder quotes | :8787',
      '  symbol-class Quotes',
      'root-folder agents | :8788',
      '  symbol-class Agent',
    ])
  })

  it('keeps the id of a row while its state changes', () => {
    const ids = (container: ContainerState) => nodesOf(session([object('alice', container)]), NOW)[0]?.children[0]?.id
    assert.equal(ids(RUNNING), ids({ state: 'none' }))
  })
})

describe('an image', () => {
  it('that is being built says how far it is', () => {
    const image = { state: 'preparing', how: 'build', since: NOW, step: 5, steps: 7, text: 'RUN npm ci' } as const
    assert.deepEqual(rows([], { classes: [{ ...QUOTES, image }] }), ['loading~spin Quotes | building image 5/7'])
  })

  it('that failed says where, and the containers that run keep running', () => {
    const image = {
      state: 'failed',
      message: '/p/Dockerfile:8: npm ci ended with 1',
      file: '/p/Dockerfile',
      line: 8,
      lastOutput: [],
      advice: [],
    } as const
    assert.deepEqual(rows([object('alice', RUNNING)], { classes: [{ ...QUOTES, image }] }).slice(0, 3), [
      'error Quotes | image failed · 1 of 1 running',
      '  error npm ci ended with 1 | Dockerfile:8',
      '  vm-running alice | running 12m',
    ])
  })
})

describe('the row of an object', () => {
  it('says what a start waits for', () => {
    const starting = { state: 'starting', life: 1, since: NOW, phase: 'port' } as const
    assert.equal(row(starting), 'loading~spin alice | starting · waiting for its port')
  })

  it('says how it is being stopped', () => {
    const stopping = { state: 'stopping', life: 1, since: NOW - 3 * MINUTE, how: 'SIGTERM' } as const
    assert.equal(row(stopping), 'loading~spin alice | stopping · SIGTERM 3m ago')
  })

  it('says how it ended', () => {
    assert.equal(row(ended('stopped', { kind: 'exited', exitCode: 0 })), 'vm alice | stopped · exit 0 · 2m ago')
    assert.equal(row(ended('stopped', { kind: 'idle', exitCode: 0 })), 'vm alice | stopped · exit 0 · 2m ago · idle')
    const destroyed = ended('stopped', { kind: 'destroyed', by: 'worker' })
    assert.equal(row(destroyed), 'vm alice | stopped · 2m ago · destroyed')
  })

  it('says why it failed', () => {
    assert.equal(row(ended('failed', { kind: 'exited', exitCode: 7 })), 'error alice | exit 7 · 2m ago')
    const memory = ended('failed', { kind: 'out-of-memory', exitCode: 137 })
    assert.equal(row(memory), 'error alice | exit 137 · 2m ago · out of memory')
    const start = ended('failed', {
      kind: 'start-failed',
      phase: 'start',
      code: 'x',
      message: 'no such file: /app/run',
    })
    assert.equal(row(start), 'error alice | did not start · 2m ago · no such file: /app/run')
  })

  it('is asleep when only its storage is there', () => {
    const stopped = ended('stopped', { kind: 'idle', exitCode: 0 })
    assert.equal(row(stopped, { memory: 'asleep' }), 'vm-outline alice | asleep')
  })

  it('has no age below a minute, so that it does not change each second', () => {
    assert.equal(row({ ...RUNNING, since: NOW - MINUTE + 1 }), 'vm-running alice | running')
  })
})
