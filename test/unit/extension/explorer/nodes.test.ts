import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { NO_FILTER } from '../../../../extension/explorer/filter.ts'
import { Objects } from '../../../../extension/explorer/objects.ts'
import type { Node } from '../../../../extension/explorer/row.ts'
import type { ContainerState, ImageState, ObjectModel, SessionModel } from '../../../../runtime/protocol/model.ts'
import {
  ended,
  MINUTE,
  NONE,
  NOW,
  object,
  process,
  project,
  RUNNING,
  SANDBOX,
  SECOND,
  STARTING,
  session,
  text,
} from './models.ts'

function nodes(...models: readonly SessionModel[]): readonly Node[] {
  const objects = new Objects(() => NOW)
  objects.update(
    models.map((model, at) => ({ folder: `file:///${at}`, model })),
    NO_FILTER,
  )
  return objects.roots
}

function rows(objects: readonly ObjectModel[], rest: Partial<SessionModel> = {}): string[] {
  return text(nodes(session(objects, rest)))
}

/** The row of the only object, without its class and children. */
function row(container: ContainerState, rest: Partial<ObjectModel> = {}, image: ImageState = SANDBOX.image): string {
  const all = rows([object('alice', container, rest)], { classes: [{ ...SANDBOX, image }] })
  return `${all.find((line) => line.includes(' alice'))?.trim()}`
}

/** What menus offer for the only object. */
function menus(container: ContainerState, rest: Partial<ObjectModel> = {}, image: ImageState = SANDBOX.image): string {
  const model = session([object('alice', container, rest)], { classes: [{ ...SANDBOX, image }] })
  return `${nodes(model)[0]?.children.at(-1)?.menus}`
}

const BROKEN = {
  state: 'failed',
  message: './Dockerfile:8: RUN npm ci --omit=dev failed with exit code 1.',
  file: '/p/Dockerfile',
  line: 8,
  instruction: 'RUN npm ci --omit=dev',
  exitCode: 1,
  lastOutput: [],
  advice: [],
} as const satisfies ImageState

describe('the tree', () => {
  it('shows all there is of a running object, in one order', () => {
    const alice = object('alice', RUNNING, {
      usage: { cpu: 0.031, memoryBytes: 84_200_000 },
      ports: [
        { port: 8080, protocol: 'http' },
        { port: 9229, protocol: 'inspector' },
      ],
      alarm: { at: NOW + 9 * MINUTE + 12 * SECOND, why: 'sleepAfter' },
    })
    const end = { at: NOW - 3 * MINUTE }
    const processes = [
      process(20, 'node migrate.mjs', { end: { ...end, exitCode: 0 } }),
      process(21, 'node seed.mjs', { end: { ...end, exitCode: 2 } }),
      process(30, 'sleep 60', { end: { ...end, signal: 2 } }),
      process(31, 'cat', { end: { ...end, lost: 'The container ended.' } }),
      process(48, 'python3 -u -'),
      process(61, 'bash', { by: 'person', startedAt: NOW - 2 * MINUTE }),
    ]
    assert.deepEqual(rows([alice], { processes }), [
      'symbol-class Sandbox | 1 of 1 running',
      '  vm-running alice | running 12m · 3 % · 84 MB',
      '    package sandbox:9c41e2 | basic · since 14:02:11',
      '    pulse 3 % CPU, 84 MB | of ¼ vCPU, 1 GB',
      '    plug 8080 | http',
      '    plug 9229 | node inspector',
      '    server-process Processes | 3',
      '      circle-filled node server.mjs | pid 1 · 12m',
      '      circle-filled python3 -u - | pid 48 · 8s · Worker',
      '      terminal bash | pid 61 · 2m · you',
      '    history Finished | 4 · 1 failed',
      '      stop-circle cat | ended with its container · 3m ago · Worker',
      '      stop-circle sleep 60 | SIGINT · 3m ago · Worker',
      '      error node seed.mjs | exit 2 · 3m ago · Worker',
      '      check node migrate.mjs | exit 0 · 3m ago · Worker',
      '    clockface Alarm | in 9m 12s · sleepAfter',
    ])
  })

  it('leaves out what is not known, and what does not run', () => {
    const finished = process(20, 'true', { end: { at: NOW, exitCode: 0 } })
    const alarm = { at: NOW - SECOND, why: 'alarm' } as const
    assert.deepEqual(
      rows([object('alice', NONE, { alarm, ports: [] })], { processes: [finished, process(21, 'cat')] }),
      [
        'symbol-class Sandbox | 0 of 1 running',
        '  vm alice | not started',
        '    history Finished | 1',
        '      check true | exit 0 · just now · Worker',
        '    clockface Alarm | now',
      ],
    )
    assert.deepEqual(rows([object('alice', { ...RUNNING, root: [] })]).slice(2), [
      '    package sandbox:9c41e2 | basic · since 14:02:11',
      '    server-process Processes | 1',
      '      circle-filled the app | pid 1 · 12m',
    ])
  })

  it('lists objects in the order of their names, those without one last', () => {
    assert.deepEqual(rows([object(undefined, NONE), object('shelf 10', NONE), object('shelf 9', NONE)]), [
      'symbol-class Sandbox | 0 of 3 running',
      '  vm shelf 9 | not started',
      '  vm shelf 10 | not started',
      '  vm 4f1c09e2…77ab | not started',
    ])
  })

  it('counts what runs, has failed and starts, and leaves out zeros', () => {
    const failed = ended('failed', { kind: 'exited', exitCode: 1 })
    const objects = [object('a', RUNNING), object('b', failed), object('c', STARTING)]
    assert.equal(rows(objects)[0], 'symbol-class Sandbox | 1 of 3 running · 1 failed · 1 starting')
    assert.deepEqual(rows([]), ['symbol-class Sandbox'])
  })

  it('lists classes without a container last, with what they have stored', () => {
    const plainClasses = [
      { className: 'Room', project: 'agents', objects: 1204 },
      { className: 'Hall', project: 'agents', objects: 0 },
    ]
    const all = nodes(session([], { plainClasses }))
    assert.deepEqual(text(all), [
      'symbol-class Sandbox',
      'symbol-class Room | 1,204, no container',
      'symbol-class Hall | no container',
    ])
    assert.deepEqual(
      all.map(({ menus }) => menus),
      [' class ', '', ''],
    )
  })

  it('puts classes below their projects where there are several', () => {
    const projects = [project('agents', 8787), project('preview', 8788)]
    const classes = [SANDBOX, { ...SANDBOX, className: 'Preview', project: 'preview' }]
    const plainClasses = [{ className: 'Room', project: 'preview', objects: 2 }]
    const expected = [
      'root-folder agents | :8787',
      '  symbol-class Sandbox',
      'root-folder preview | :8788',
      '  symbol-class Preview',
      '  symbol-class Room | 2, no container',
    ]
    assert.deepEqual(rows([], { projects, classes, plainClasses }), expected)
    const [first, second] = [
      { projects: projects.slice(0, 1), classes: classes.slice(0, 1) },
      { projects: projects.slice(1) },
    ]
    const both = nodes(session([], first), session([], { ...second, classes: classes.slice(1), plainClasses }))
    assert.deepEqual(text(both), expected)
  })

  it('keeps the id of a row while its state changes, and no two rows have the same', () => {
    const ids = (container: ContainerState) => {
      const all = nodes(session([object('alice', container), object('bob', NONE)], { processes: [process(48, 'cat')] }))
      const list = (below: readonly Node[]): string[] => below.flatMap(({ id, children }) => [id, ...list(children)])
      return list(all)
    }
    const all = ids(RUNNING)
    assert.equal(new Set(all).size, all.length)
    assert.deepEqual(
      ids(NONE).filter((id) => !all.includes(id)),
      [],
    )
  })

  it('says each row as a sentence', () => {
    const alice = object('alice', RUNNING, {
      usage: { cpu: 0.03, memoryBytes: 84e6 },
      ports: [{ port: 8080, protocol: 'http' }],
      alarm: { at: NOW + 90 * SECOND, why: 'schedule' },
    })
    const list = (below: readonly Node[]): string[] =>
      below.flatMap(({ sentence, children }) => [sentence, ...list(children)])
    const end = { at: NOW - MINUTE, exitCode: 1 }
    assert.deepEqual(
      list(nodes(session([alice], { processes: [process(48, 'cat'), process(49, 'false', { end })] }))),
      [
        'Class Sandbox: 1 of 1 running',
        'Object alice: running 12m, 3 %, 84 MB',
        'Image sandbox:9c41e2: basic, since 14:02:11',
        'Usage: 3 % CPU, 84 MB of ¼ vCPU, 1 GB',
        'Port 8080: http',
        'Processes: 2 running',
        'Process node server.mjs: pid 1, 12m',
        'Process cat: pid 48, 8s, Worker',
        'Finished processes: 1, 1 failed',
        'Process false: exit 1, 1m ago, Worker',
        'Alarm: in 1m 30s, schedule',
      ],
    )
  })
})

describe('an image', () => {
  it('that is being built says how far it is', () => {
    const image = { state: 'preparing', how: 'build', since: NOW, step: 5, steps: 7, text: 'RUN npm ci' } as const
    assert.deepEqual(rows([], { classes: [{ ...SANDBOX, image }] }), ['loading~spin Sandbox | building image 5/7'])
  })

  it('that failed says what and where; what runs goes on with the previous one, what does not has none', () => {
    const objects = [
      object('alice', RUNNING),
      object('bob', ended('stopped', { kind: 'exited', exitCode: 0 })),
      object('mallory', NONE, { memory: 'asleep' }),
    ]
    const all = rows(objects, { classes: [{ ...SANDBOX, image: BROKEN }] })
    assert.deepEqual(
      all.filter((line) => !line.startsWith('    ')),
      [
        'error Sandbox | image failed · 1 of 3 running',
        '  error npm ci --omit=dev | exit 1 · Dockerfile:8',
        '  vm-running alice | running 12m · previous image',
        '  vm bob | stopped · image missing',
        '  vm-outline mallory | asleep',
      ],
    )
  })

  it('that failed before any instruction says the reason', () => {
    const image = { state: 'failed', message: 'The engine is gone.', lastOutput: [], advice: [] } as const
    assert.equal(rows([], { classes: [{ ...SANDBOX, image }] })[1], '  error The engine is gone.')
  })

  it('is not missing while there is a previous one', () => {
    const stopped = ended('stopped', { kind: 'exited', exitCode: 0 })
    assert.equal(row(stopped, {}, { ...BROKEN, previous: 'sandbox:1' }), 'vm alice | stopped · exit 0 · 2m ago')
    assert.equal(menus(stopped, {}, { ...BROKEN, previous: 'sandbox:1' }), ' object can:start can:why can:logs ')
    assert.equal(menus(stopped, {}, BROKEN), ' object can:why can:logs ')
  })
})

describe('the row of an object', () => {
  it('says what a start waits for', () => {
    assert.equal(row(STARTING), 'loading~spin alice | starting · waiting for its port')
  })

  it('says how it is being stopped, and since when', () => {
    const stopping = (agoMs: number) => ({ state: 'stopping', life: 1, since: NOW - agoMs, how: 'SIGTERM' }) as const
    assert.equal(row(stopping(3 * SECOND)), 'loading~spin alice | stopping · SIGTERM 3s ago')
    assert.equal(row(stopping(3 * MINUTE)), 'loading~spin alice | stopping · SIGTERM 3m ago')
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
    const message = 'no such file:\n/app/run'
    const start = ended('failed', { kind: 'start-failed', phase: 'start', code: 'x', message })
    assert.equal(row(start), 'error alice | did not start · 2m ago · no such file: /app/run')
  })

  it('is asleep when only its storage is there, and says when it was not', () => {
    const stopped = ended('stopped', { kind: 'idle', exitCode: 0 })
    assert.equal(row(stopped, { memory: 'asleep' }), 'vm-outline alice | asleep')
    const wokeAt = new Date(2026, 10, 24, 14, 1, 59).getTime()
    assert.equal(row(NONE, { memory: 'asleep', wokeAt }), 'vm-outline alice | asleep · woke 14:01')
    assert.equal(
      row(NONE, { memory: 'asleep', wokeAt: NOW - 50 * 60 * MINUTE }),
      'vm-outline alice | asleep · woke 2d ago',
    )
  })

  it('has no age below a minute, so that it does not change each second', () => {
    assert.equal(row({ ...RUNNING, since: NOW - MINUTE + 1 }), 'vm-running alice | running')
  })

  it('offers only what makes sense', () => {
    assert.equal(menus(RUNNING), ' object can:shell can:stop can:destroy can:logs ')
    assert.equal(menus(STARTING), ' object can:destroy can:logs ')
    assert.equal(menus(NONE, { memory: 'asleep' }), ' object can:start ')
    assert.equal(menus(ended('failed', { kind: 'exited', exitCode: 1 })), ' object can:start can:why can:logs ')
    assert.equal(menus(NONE, { alarm: { at: NOW, why: 'alarm' } }), ' object can:start can:alarm ')
  })
})
