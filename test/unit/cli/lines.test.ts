import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { duration, linesOf, objectLabel, type Style } from '../../../runtime/cli/lines.ts'
import type { Happening } from '../../../runtime/protocol/events.ts'
import { type ContainerId, type End, objectKey, type SessionModel } from '../../../runtime/protocol/model.ts'

const ID = 'c0ffee0012345678901234567890123456789012345678901234567890abcdef'
const NAMED = objectKey('Quotes', 'named')
const UNNAMED = objectKey('Quotes', ID)
const MODEL: SessionModel = {
  session: 's',
  engine: { state: 'connecting' },
  projects: [],
  classes: [],
  plainClasses: [],
  processes: [],
  objects: [
    { key: NAMED, className: 'Quotes', id: 'named', name: 'anna', memory: 'in-memory', container: { state: 'none' } },
    { key: UNNAMED, className: 'Quotes', id: ID, memory: 'in-memory', container: { state: 'none' } },
  ],
}

/** The lines of an event; `!` in front of those for stderr. */
function said(happening: Happening, style: Partial<Style> = {}): string[] {
  const event = { ...happening, seq: 1, at: 0 }
  const lines = linesOf(event, MODEL, { color: false, level: 'info', ...style })
  return lines.map(({ to, text }) => (to === 'stderr' ? `! ${text}` : text))
}

function end(more: Partial<End> = {}): End {
  return {
    at: 0,
    reason: { kind: 'exited', exitCode: 1 },
    message: 'The root process ended by itself with exit code 1.',
    advice: ['The last lines of its log say more.'],
    lastLog: ['1', '2', '3', '4', '5', '6'],
    ...more,
  }
}

describe('an object’s name', () => {
  it('is class and name, or class and a short id, also of one that is not known', () => {
    assert.equal(objectLabel(MODEL, NAMED), 'Quotes/anna')
    assert.equal(objectLabel(MODEL, UNNAMED), 'Quotes/c0ffee00…cdef')
    assert.equal(objectLabel(MODEL, objectKey('Other', ID)), 'Other/c0ffee00…cdef')
  })
})

describe('a time', () => {
  const rows: readonly (readonly [ms: number, text: string])[] = [
    [0.24, '0.2 ms'],
    [9.94, '9.9 ms'],
    [9.96, '10 ms'],
    [41.4, '41 ms'],
    [999.4, '999 ms'],
    [999.6, '1.00 s'],
    [2_610, '2.61 s'],
    [9_994, '9.99 s'],
    [9_999, '10.0 s'],
    [59_949, '59.9 s'],
    [59_960, '1m 0s'],
    [119_700, '2m 0s'],
    [728_000, '12m 8s'],
    [7_200_000, '120m 0s'],
  ]
  for (const [ms, text] of rows) it(`${ms} ms is ${text}`, () => assert.equal(duration(ms), text))
})

describe('the lines of an event', () => {
  it('of a Worker’s log go by the level, all to stdout', () => {
    const log = (level: 'debug' | 'log' | 'warn' | 'error') =>
      ({ type: 'worker-log', project: 'p', level, text: level }) as const
    const all = (['debug', 'log', 'warn', 'error'] as const).map(log)
    assert.deepEqual(
      all.flatMap((event) => said(event)),
      ['log', 'warn', 'error'],
    )
    assert.deepEqual(
      all.flatMap((event) => said(event, { level: 'error' })),
      ['error'],
    )
    assert.deepEqual(
      all.flatMap((event) => said(event, { level: 'debug' })),
      ['debug', 'log', 'warn', 'error'],
    )
  })

  it('of a container’s log have the object’s name in front, and its stream', () => {
    const log = { type: 'container-log', object: NAMED, life: 1, text: 'listening' } as const
    assert.deepEqual(said({ ...log, stream: 'stdout' }), ['[Quotes/anna] listening'])
    assert.deepEqual(said({ ...log, stream: 'stderr' }), ['! [Quotes/anna] listening'])
    assert.deepEqual(said({ ...log, stream: 'stdout' }, { color: true }), [
      '\u001b[36m[Quotes/anna]\u001b[0m listening',
    ])
  })

  it('of an image tell how far it is, when it is ready and what failed', () => {
    const image = (state: Extract<Happening, { type: 'image' }>['image']) =>
      said({ type: 'image', className: 'Quotes', image: state })
    assert.deepEqual(image({ state: 'preparing', how: 'build', since: 0, step: 2, steps: 5, text: 'RUN npm ci' }), [
      'Quotes: building the image 2/5: RUN npm ci',
    ])
    assert.deepEqual(image({ state: 'preparing', how: 'pull', since: 0, text: 'redis:7' }), [
      'Quotes: pulling the image: redis:7',
    ])
    assert.deepEqual(image({ state: 'ready', image: 'q:1', digest: 'd', tookMs: 2_610, sizeBytes: 1 }), [
      'Quotes: image q:1 ready (2.61 s)',
    ])
    assert.deepEqual(
      image({
        state: 'failed',
        message: 'Dockerfile:3: npm ci failed.',
        file: 'Dockerfile',
        line: 3,
        lastOutput: ['E404'],
        advice: ['Publish it.'],
        previous: 'q:0',
      }),
      ['! Quotes: Dockerfile:3: npm ci failed.', '!   E404', '!   Publish it.', '!   q:0 stays in use.'],
    )
    assert.deepEqual(image({ state: 'unknown' }), [])
  })

  it('of a container tell when it runs and why it ended, with the last of its log where someone should look', () => {
    const container = (state: Extract<Happening, { type: 'container' }>['container']) =>
      said({ type: 'container', object: NAMED, container: state })
    const containerId = 'x' as ContainerId
    assert.deepEqual(
      container({
        state: 'running',
        life: 1,
        since: 0,
        containerId,
        image: 'q',
        internet: false,
        startedMs: 3.21,
        root: [],
      }),
      ['Quotes/anna runs (3.2 ms)'],
    )
    assert.deepEqual(container({ state: 'stopped', life: 1, end: end({ message: 'Destroyed by you.' }) }), [
      'Quotes/anna: Destroyed by you.',
    ])
    assert.deepEqual(container({ state: 'failed', life: 1, end: end() }), [
      '! Quotes/anna: The root process ended by itself with exit code 1.',
      '!   | 2',
      '!   | 3',
      '!   | 4',
      '!   | 5',
      '!   | 6',
      '!   The last lines of its log say more.',
    ])
    assert.deepEqual(container({ state: 'starting', life: 1, since: 0, phase: 'image' }), [])
  })

  it('of the Worker tell a reload and a failure, and what is served meanwhile', () => {
    const worker = (state: Extract<Happening, { type: 'worker' }>['worker']) =>
      said({ type: 'worker', project: 'p', worker: state })
    assert.deepEqual(worker({ state: 'reloading' }), ['The Worker is being reloaded.'])
    assert.deepEqual(worker({ state: 'failed', message: 'Unexpected "}"', serving: true }), [
      '! Unexpected "}"',
      '!   The last good version goes on serving.',
    ])
    assert.deepEqual(worker({ state: 'failed', message: 'No.', serving: false }), ['! No.', '!   Waiting for the fix.'])
    assert.deepEqual(worker({ state: 'ready', url: 'u', inspectorUrl: undefined }), [])
  })

  it('of advice name the object that it is about', () => {
    assert.deepEqual(said({ type: 'advice', text: 'Do this.' }), ['! Do this.'])
    assert.deepEqual(said({ type: 'advice', object: NAMED, text: 'Do this.' }), ['! Quotes/anna: Do this.'])
  })

  it('of hooks and build output are for debugging', () => {
    const hook = { type: 'hook', object: NAMED, hook: 'onStart', edge: 'end', call: 1, tookMs: 12 } as const
    assert.deepEqual(said(hook), [])
    assert.deepEqual(said(hook, { level: 'debug' }), ['Quotes/anna onStart 12 ms'])
    const output = { type: 'image-output', className: 'Quotes', text: 'Step 1' } as const
    assert.deepEqual([said(output), said(output, { level: 'debug' })], [[], ['Step 1']])
  })

  it('of a quiet level are only problems and logs', () => {
    assert.deepEqual(said({ type: 'worker', project: 'p', worker: { state: 'reloading' } }, { level: 'warn' }), [])
    assert.deepEqual(said({ type: 'advice', text: 'Do this.' }, { level: 'error' }), ['! Do this.'])
  })

  it('cannot steer the terminal, whoever wrote them', () => {
    const text = 'a\u001b[2Jb\u001b]0;title\u0007c\u0008\rd\u009b1me\u0085\tf\u007f'
    const [line = ''] = said({ type: 'container-log', object: NAMED, life: 1, stream: 'stdout', text })
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not come.
    assert.doesNotMatch(line, /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/)
    assert.match(line, /^\[Quotes\/anna\] a.*b.*c.*d.*e\tf$/)
  })
})
