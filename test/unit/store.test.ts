import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Happening, SessionEvent } from '../../runtime/protocol/events.ts'
import {
  type ObjectModel,
  objectKey,
  type ProcessId,
  type ProcessModel,
  type SessionModel,
} from '../../runtime/protocol/model.ts'
import { reduce, Store } from '../../runtime/store.ts'

const A = objectKey('Quotes', 'a')
const B = objectKey('Quotes', 'b')
const object = (key: typeof A): ObjectModel => ({
  key,
  className: 'Quotes',
  id: key.slice(-1),
  memory: 'in-memory',
  container: { state: 'none' },
})

const MODEL: SessionModel = {
  session: 's',
  engine: { state: 'connecting' },
  projects: [
    { name: 'one', config: '/one', main: '/one.ts', worker: { state: 'starting' } },
    { name: 'two', config: '/two', main: '/two.ts', worker: { state: 'starting' } },
  ],
  classes: [
    { className: 'Quotes', project: 'one', maxInstances: 1, instanceType: 'lite', image: { state: 'unknown' } },
    { className: 'Other', project: 'two', maxInstances: 1, instanceType: 'lite', image: { state: 'unknown' } },
  ],
  plainClasses: [],
  objects: [object(A), object(B)],
  processes: [],
}

/** Which parts of the model are other values after an event, down to items of lists. */
function touched(event: Happening): string[] {
  const after = reduce(MODEL, event)
  const parts: string[] = []
  for (const name of Object.keys(MODEL) as (keyof SessionModel)[]) {
    const before = MODEL[name]
    const now = after[name]
    if (now === before) continue
    parts.push(name)
    if (!Array.isArray(now)) continue
    now.forEach((item, i) => {
      if (item !== (before as readonly unknown[])[i]) parts.push(`${name}[${i}]`)
    })
  }
  return parts
}

describe('the model after an event', () => {
  it('has other values only where the event touches it', () => {
    assert.deepEqual(touched({ type: 'engine', engine: { state: 'lost', message: 'gone' } }), ['engine'])
    assert.deepEqual(touched({ type: 'worker', project: 'two', worker: { state: 'reloading' } }), [
      'projects',
      'projects[1]',
    ])
    assert.deepEqual(touched({ type: 'image', className: 'Quotes', image: { state: 'unknown' } }), [
      'classes',
      'classes[0]',
    ])
    assert.deepEqual(touched({ type: 'container', object: B, container: { state: 'none' } }), ['objects', 'objects[1]'])
    assert.deepEqual(touched({ type: 'object', object: object(A) }), ['objects', 'objects[0]'])
    assert.deepEqual(touched({ type: 'object', object: object(objectKey('Other', 'c')) }), ['objects', 'objects[2]'])
  })

  it('is the same where nothing is kept of the event', () => {
    const events: Happening[] = [
      { type: 'container-log', object: A, life: 1, stream: 'stdout', text: 'x' },
      { type: 'advice', text: 'x' },
      { type: 'disposed' },
    ]
    for (const event of events) assert.equal(reduce(MODEL, event), MODEL)
  })

  it('keeps its lists where the event is about what it does not know', () => {
    assert.deepEqual(touched({ type: 'container', object: objectKey('No', 'x'), container: { state: 'none' } }), [])
    assert.deepEqual(touched({ type: 'worker', project: 'no', worker: { state: 'reloading' } }), [])
    assert.deepEqual(touched({ type: 'image', className: 'No', image: { state: 'unknown' } }), [])
  })

  it('says what the event said', () => {
    const running = reduce(MODEL, { type: 'container', object: A, container: { state: 'none' } })
    assert.deepEqual(running.objects[0], object(A))
    const asleep = reduce(MODEL, { type: 'object', object: { ...object(A), memory: 'asleep', name: 'anna' } })
    assert.deepEqual([asleep.objects[0]?.memory, asleep.objects[0]?.name], ['asleep', 'anna'])
  })

  it('says what a container uses and listens at until it ends, and no longer', () => {
    const ports = [{ port: 8080, protocol: 'http' }] as const
    const usage = { cpu: 0.03, memoryBytes: 84_000_000 }
    const watched = reduce(MODEL, { type: 'watched', object: A, usage, ports })
    assert.deepEqual(watched.objects[0], { ...object(A), usage, ports })
    const said = reduce(watched, { type: 'object', object: { ...object(A), name: 'anna' } })
    assert.deepEqual(said.objects[0], { ...object(A), name: 'anna', usage, ports })
    const stopping = { state: 'stopping', life: 1, since: 0, how: 'SIGTERM' } as const
    assert.deepEqual(reduce(said, { type: 'container', object: A, container: stopping }).objects[0]?.usage, usage)
    const end = { at: 0, reason: { kind: 'exited', exitCode: 0 }, message: '', advice: [], lastLog: [] } as const
    const container = { state: 'stopped', life: 1, end } as const
    const ended = reduce(said, { type: 'container', object: A, container })
    assert.deepEqual(ended.objects[0], { ...object(A), name: 'anna', container })
    const over = reduce(watched, { type: 'watched', object: A, usage: undefined, ports: undefined })
    assert.deepEqual(over.objects[0], object(A))
  })

  it('forgets with a container when it would have gone to sleep, and no other alarm', () => {
    const container = { state: 'none' } as const
    for (const [why, kept] of [
      ['sleepAfter', undefined],
      ['schedule', { at: 5, why: 'schedule' }],
      ['alarm', { at: 5, why: 'alarm' }],
    ] as const) {
      const told = reduce(MODEL, { type: 'alarm', object: A, alarm: { at: 5, why } })
      assert.deepEqual(told.objects[0]?.alarm, { at: 5, why })
      assert.deepEqual(reduce(told, { type: 'container', object: A, container }).objects[0]?.alarm, kept)
      assert.ok(!('alarm' in (reduce(told, { type: 'alarm', object: A, alarm: undefined }).objects[0] ?? {})))
    }
  })

  it('has the classes without a container as they were told last', () => {
    const classes = [{ className: 'Room', project: 'one', objects: 12 }]
    assert.deepEqual(reduce(MODEL, { type: 'plain-classes', classes }).plainClasses, classes)
  })

  it('forgets the oldest of the processes that ended, and none that runs', () => {
    const process = (id: number, ended: boolean): ProcessModel => ({
      id: `p${id}` as ProcessId,
      object: A,
      life: 1,
      command: ['sh'],
      cwd: '/',
      user: '',
      by: 'person',
      terminal: false,
      stdinOpen: false,
      startedAt: id,
      pid: id,
      bytesIn: 0,
      bytesOut: 0,
      ...(ended ? { end: { at: id, exitCode: 0 } } : {}),
    })
    let model = reduce(MODEL, { type: 'process', process: process(0, false) })
    for (let id = 1; id <= 500; id++) model = reduce(model, { type: 'process', process: process(id, true) })
    assert.equal(model.processes.length, 201)
    assert.deepEqual([model.processes[0]?.id, model.processes[1]?.id], ['p0', 'p301'])
  })
})

describe('the store', () => {
  it('numbers events by one and gives them the time', () => {
    let now = 1_000
    const store = new Store('s', () => now++)
    const heard: SessionEvent[] = []
    store.onEvent((event) => heard.push(event))
    store.report({ type: 'advice', text: 'a' })
    store.report({ type: 'disposed' })
    assert.deepEqual(heard, [
      { type: 'advice', text: 'a', seq: 1, at: 1_000 },
      { type: 'disposed', seq: 2, at: 1_001 },
    ])
  })

  it('shows listeners the model after the event', () => {
    const store = new Store('s')
    let seen: SessionModel | undefined
    store.onEvent(() => {
      seen = store.model
    })
    store.report({ type: 'engine', engine: { state: 'lost', message: 'gone' } })
    assert.deepEqual(seen?.engine, { state: 'lost', message: 'gone' })
  })

  it('tells nobody who has gone', () => {
    const store = new Store('s')
    let heard = 0
    const off = store.onEvent(() => {
      heard += 1
    })
    store.report({ type: 'disposed' })
    off()
    store.report({ type: 'disposed' })
    assert.equal(heard, 1)
  })

  it('takes in a project with its classes', () => {
    const store = new Store('s')
    store.report({ type: 'project', project: MODEL.projects[0]!, classes: MODEL.classes, objects: [object(A)] })
    const { projects, classes, objects } = store.model
    assert.deepEqual([projects.length, classes.length, objects.length], [1, 2, 1])
  })

  it('tells everyone in one order, also what a listener reports', () => {
    const store = new Store('s')
    const heard: string[] = []
    store.onEvent((event) => {
      if (event.type === 'advice' && event.text === 'a') store.report({ type: 'advice', text: 'b' })
    })
    store.onEvent((event) => {
      if (event.type === 'advice') heard.push(`${event.seq} ${event.text} of ${store.seq}`)
    })
    store.report({ type: 'advice', text: 'a' })
    assert.deepEqual(heard, ['1 a of 1', '2 b of 2'])
  })

  it('goes on from a model, with events that were numbered elsewhere', () => {
    const store = Store.at(MODEL, 7)
    store.take({ type: 'engine', engine: { state: 'lost', message: 'gone' }, seq: 8, at: 1_000 })
    assert.deepEqual([store.seq, store.model.engine.state, store.model.objects], [8, 'lost', MODEL.objects])
  })
})
