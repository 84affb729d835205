import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { Latch } from '../../../runtime/base/latch.ts'
import { DurableObject } from '../../../runtime/object/object.ts'
import { EVICT_AFTER_MS, PARK_AFTER_MS } from '../../../runtime/object/presence.ts'
import { type InstanceId, objectKey, type ProcessId } from '../../../runtime/protocol/model.ts'
import { NO_START, type StartOptions } from '../../../runtime/protocol/worker.ts'
import { type FakeContainer, fakeContainer, fakeEngine, fakeRelay, settled, stateLine } from './fakes.ts'

const COMMAND = { argv: ['app'], env: {}, cwd: '/', user: '' }
const A = 'instance-a' as InstanceId
const B = 'instance-b' as InstanceId
const LOST = { message: 'Network connection lost.' }

/** An object in a class that always has an image; times are the test's (tick). Every container is told by its number. */
function setUp(
  t: TestContext,
  more: { image?: () => Promise<void>; reloading?: () => boolean; full?: () => boolean } = {},
) {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'] })
  const log: string[] = []
  const boxes: FakeContainer[] = []
  const starts: StartOptions[] = []
  const object = new DurableObject({
    key: objectKey('Quotes', 'abc'),
    className: 'Quotes',
    id: 'abc',
    logFile: '/nowhere/at/all.log',
    engine: fakeEngine(log, (id) => end(Number(id.slice(3)), 137)),
    relay: fakeRelay(log, {
      // A plain object: it has no start of its own.
      push: ({ instance, push }) => queueMicrotask(() => object.pushes.ran(instance, push.push, NO_START)),
    }),
    life: (start) => ({
      memoryMib: 256,
      image: async () => {
        await more.image?.()
        return { name: 'quotes:1', command: COMMAND }
      },
      container: async () => {
        starts.push(start)
        const box = fakeContainer(`box${boxes.length + 1}`, log)
        boxes.push(box)
        return box.prepared
      },
    }),
    refusal: () => (more.full?.() === true ? { code: 'too-many-instances', message: 'Quotes has 1.' } : undefined),
    reloading: more.reloading ?? (() => false),
    images: ['worker'],
    onContainer: (state) => log.push(stateLine(state)),
    onMemory: (memory) => log.push(memory),
    onAdvice: (text) => log.push(text),
    onClosing: () => undefined,
  })
  function end(box: number, exitCode: number): void {
    boxes[box - 1]?.exit.resolve({ exitCode, error: undefined })
  }
  const tick = async (ms: number): Promise<void> => {
    t.mock.timers.tick(ms)
    await settled()
  }
  const start = (instance: InstanceId, life = 1, options: StartOptions = {}) =>
    object.call(instance, { method: 'start', life, options })
  const evicted = (): string[] => log.filter((line) => line.startsWith('evict'))
  return { object, log, starts, boxes, end, tick, start, evicted }
}

describe('an instance', () => {
  it('is told whether the container runs, which life, and the images it may name', async (t) => {
    const { object, start } = setUp(t)
    assert.deepEqual(object.attach(A), { instance: A, running: false, life: 0, images: ['worker'] })
    await start(A)
    assert.deepEqual(object.attach(B), { instance: B, running: true, life: 1, images: ['worker'] })
  })

  it('is told of as in memory, and as asleep when the last one is gone', (t) => {
    const { object, log } = setUp(t)
    object.attach(A)
    object.attach(B)
    object.detach(A)
    object.detach(A)
    object.detach(B)
    assert.deepEqual(log, ['in-memory', 'in-memory', 'asleep'])
  })

  it('that is gone can ask for nothing any more', async (t) => {
    const { object, start } = setUp(t)
    object.attach(A)
    object.detach(A)
    assert.deepEqual(await start(A), { refusal: LOST })
    assert.deepEqual(await object.end(A, 1), { life: 1, failure: LOST })
  })
})

describe('start', () => {
  it('answers when the app runs', async (t) => {
    const { object, start, log } = setUp(t)
    object.attach(A)
    assert.deepEqual(await start(A), { value: null })
    assert.equal(log.at(-1), 'running box1')
    assert.equal(object.state.state, 'running')
  })

  it('is refused while a life is not over', async (t) => {
    const { object, start, boxes } = setUp(t)
    object.attach(A)
    await start(A)
    assert.deepEqual(await start(A, 2), {
      refusal: { message: 'start() cannot be called on a container that is already running.' },
    })
    assert.equal(boxes.length, 1)
  })

  it('is refused where the class may have no more, and monitor() is told so', async (t) => {
    const { object, start } = setUp(t, { full: () => true })
    object.attach(A)
    const refusal = {
      message: 'there is no container instance that can be provided to this durable object',
      cause: 'Quotes has 1.',
    }
    assert.deepEqual(await start(A), { refusal })
    assert.deepEqual(await object.end(A, 1), { life: 1, failure: refusal })
  })

  it('gives each life a container of its own', async (t) => {
    const { object, start, end, log } = setUp(t)
    object.attach(A)
    await start(A)
    end(1, 0)
    await settled()
    await start(A, 2)
    assert.deepEqual(
      log.filter((line) => /^(running|stopped|bind)/.test(line)),
      [
        'bind Quotes/abc box1',
        'running box1',
        'bind Quotes/abc null',
        'stopped: The root process ended by itself (exit 0).',
        'bind Quotes/abc box2',
        'running box2',
      ],
    )
  })

  it('by a person repeats the options of the last one, and lets instances attach again', async (t) => {
    const { object, start, end, starts, evicted, log } = setUp(t)
    object.attach(A)
    await start(A, 1, { env: { A: '1' } })
    end(1, 0)
    await settled()
    assert.equal(await object.start(), undefined)
    assert.deepEqual(starts, [{ env: { A: '1' } }, { env: { A: '1' } }])
    assert.deepEqual(evicted(), [`evict ${A}`])
    assert.equal(log.filter((line) => line === 'asleep').length, 1)
  })

  it('again by a person ends the life that runs first', async (t) => {
    const { object, start, log } = setUp(t)
    object.attach(A)
    await start(A)
    log.length = 0
    await object.restart({ kind: 'destroyed', by: 'person' })
    assert.deepEqual(
      log.filter((line) => /^(running|stopp)/.test(line)),
      ['stopping SIGKILL', 'stopped: Destroyed by you.', 'running box2'],
    )
  })
})

describe('the wait for an end', () => {
  it('goes by the isolate’s own count, which begins anew with each instance', async (t) => {
    const { object, start, end } = setUp(t)
    object.attach(A)
    await start(A)
    end(1, 0)
    await settled()
    object.detach(A)
    object.attach(B)
    await start(B, 1)
    const ended = object.end(B, 1)
    end(2, 5)
    assert.deepEqual(await ended, { life: 1, exitCode: 5 })
  })

  it('may come before the start that it belongs to', async (t) => {
    const { object, start, end } = setUp(t)
    object.attach(A)
    const ended = object.end(A, 1)
    await start(A)
    end(1, 0)
    assert.deepEqual(await ended, { life: 1, exitCode: 0 })
  })

  it('works for a life that was there before the instance', async (t) => {
    const { object, start, end } = setUp(t)
    object.attach(A)
    await start(A)
    object.attach(B)
    const ended = object.end(B, 1)
    end(1, 9)
    assert.deepEqual(await ended, { life: 1, exitCode: 9 })
  })

  it('is told to every caller, also to one that asks when it is over', async (t) => {
    const { object, start, end } = setUp(t)
    object.attach(A)
    await start(A)
    const early = object.end(A, 1)
    end(1, 2)
    assert.deepEqual(await early, await object.end(A, 1))
  })

  it('is not disturbed by an end of an earlier life that comes late', async (t) => {
    const { object, start, boxes, log } = setUp(t)
    object.attach(A)
    await start(A)
    // The agent’s link says that it is gone; the engine says so only after the next start.
    boxes[0]!.prepared.exit.catch(() => undefined)
    boxes[0]!.linkDown.resolve()
    await object.call(A, { method: 'destroy' })
    await start(A, 2)
    boxes[0]!.exit.resolve({ exitCode: 1, error: undefined })
    await settled()
    assert.equal(log.at(-1), 'running box2')
    assert.equal(object.state.state, 'running')
  })

  it('breaks where the instance goes away', async (t) => {
    const { object, start } = setUp(t)
    object.attach(A)
    await start(A)
    const ended = object.end(A, 1)
    object.detach(A)
    assert.deepEqual(await ended, { life: 1, failure: LOST })
  })

  it('is not ended by a start on top of it: that one alone fails', async (t) => {
    const { object, start, end } = setUp(t)
    object.attach(A)
    await start(A)
    const ended = object.end(A, 1)
    await start(A, 2)
    end(1, 4)
    assert.deepEqual(await ended, { life: 1, exitCode: 4 })
  })
})

describe('what an instance asks', () => {
  it('destroy answers when it is over, also where nothing runs', async (t) => {
    const { object, start } = setUp(t)
    object.attach(A)
    assert.deepEqual(await object.call(A, { method: 'destroy' }), { value: null })
    await start(A)
    assert.deepEqual(await object.call(A, { method: 'destroy', value: 'enough' }), { value: null })
    assert.equal(object.life, undefined)
    assert.equal(stateLine(object.state), 'stopped: Destroyed by the Worker: enough.')
  })

  it('destroy while the start is under way ends it, and the start is no failure', async (t) => {
    const image = new Latch()
    const { object, start } = setUp(t, { image: () => image.promise })
    object.attach(A)
    const started = start(A)
    await object.call(A, { method: 'destroy' })
    image.resolve()
    assert.deepEqual(await started, { value: null })
    assert.deepEqual(await object.end(A, 1), { life: 1, exitCode: 137 })
  })

  it('signal answers also where the process is just gone', async (t) => {
    const { object, start, boxes } = setUp(t)
    object.attach(A)
    await start(A)
    boxes[0]!.exit.resolve({ exitCode: 0, error: undefined })
    assert.deepEqual(await object.call(A, { method: 'signal', signal: 9 }), { value: null })
  })

  it('signal while onActivityExpired runs, or just after, is sleepAfter’s', async (t) => {
    const { object, start, end, tick } = setUp(t)
    object.attach(A)
    await start(A)
    object.expiring(true)
    object.expiring(false)
    await tick(100)
    await object.call(A, { method: 'signal', signal: 15 })
    end(1, 0)
    await settled()
    assert.equal(
      stateLine(object.state),
      'stopped: Ended by sleepAfter: no request came in the time that the class allows (exit 0).',
    )
  })

  it('signal long after onActivityExpired is the Worker’s own', async (t) => {
    const { object, start, end, tick } = setUp(t)
    object.attach(A)
    await start(A)
    object.expiring(true)
    object.expiring(false)
    await tick(1_000)
    await object.call(A, { method: 'signal', signal: 15 })
    end(1, 0)
    await settled()
    assert.equal(stateLine(object.state), 'stopped: Ended after the Worker sent SIGTERM (exit 0).')
  })

  it('inspect says labels and image, and null where nothing runs', async (t) => {
    const { object, start } = setUp(t)
    object.attach(A)
    assert.deepEqual(await object.call(A, { method: 'inspect' }), { value: null })
    await start(A, 1, { labels: { tier: 'free' } })
    assert.deepEqual(await object.call(A, { method: 'inspect' }), {
      value: { labels: { tier: 'free' }, image: 'quotes:1' },
    })
  })
})

describe('ctx.abort()', () => {
  it('ends the container within half a second', async (t) => {
    const { object, start, tick } = setUp(t)
    object.attach(A)
    await start(A)
    object.detach(A)
    await tick(500)
    assert.equal(stateLine(object.state), 'stopped: Ended because its object’s instance went away (ctx.abort()).')
  })

  it('lets it live on where the next instance is there at once', async (t) => {
    const { object, start, tick } = setUp(t)
    object.attach(A)
    await start(A)
    object.detach(A)
    await tick(100)
    object.attach(B)
    await tick(10_000)
    assert.equal(object.state.state, 'running')
  })

  it('is not what a reload is: the container lives on', async (t) => {
    let reloading = true
    const { object, start, tick } = setUp(t, { reloading: () => reloading })
    object.attach(A)
    await start(A)
    object.detach(A)
    await tick(500)
    reloading = false
    await tick(10_000)
    assert.equal(object.state.state, 'running')
  })

  it('of one instance among two ends nothing', async (t) => {
    const { object, start, tick } = setUp(t)
    object.attach(A)
    await start(A)
    object.attach(B)
    object.detach(A)
    await tick(10_000)
    assert.equal(object.state.state, 'running')
  })
})

describe('eviction', () => {
  it('lets the socket go a little after the last event, and ends the container when the object would be evicted', async (t) => {
    const { object, start, tick, evicted } = setUp(t)
    object.attach(A)
    object.busy(true)
    await start(A)
    await tick(60_000)
    object.busy(false)
    await tick(PARK_AFTER_MS - 1)
    assert.deepEqual(evicted(), [])
    await tick(1)
    assert.deepEqual(evicted(), [`evict ${A}`])
    object.detach(A)
    await tick(EVICT_AFTER_MS - PARK_AFTER_MS - 1)
    assert.equal(object.state.state, 'running')
    await tick(1)
    assert.equal(
      stateLine(object.state),
      'stopped: Ended because its object was idle and was evicted; setInactivityTimeout() lets it live on.',
    )
  })

  it('does not come where the object has an event in time', async (t) => {
    const { object, start, tick } = setUp(t)
    object.attach(A)
    await start(A)
    object.busy(false)
    await tick(PARK_AFTER_MS)
    object.detach(A)
    await tick(5_000)
    object.attach(B)
    await tick(60_000)
    assert.equal(object.state.state, 'running')
  })

  it('begins its time anew with each event', async (t) => {
    const { object, tick, evicted } = setUp(t)
    object.attach(A)
    object.busy(false)
    await tick(PARK_AFTER_MS - 1)
    object.busy(true)
    object.busy(false)
    await tick(PARK_AFTER_MS - 1)
    assert.deepEqual(evicted(), [])
  })

  it('does not come while a connection into the container is open, and comes when it has ended', async (t) => {
    const { object, tick, evicted } = setUp(t)
    object.attach(A)
    object.busy(true)
    object.opened(1)
    object.busy(false)
    await tick(60_000)
    assert.deepEqual(evicted(), [])
    object.opened(0)
    await tick(EVICT_AFTER_MS)
    assert.deepEqual(evicted(), [`evict ${A}`])
  })

  it('does not come where a connection is opened between two events', async (t) => {
    const { object, tick, evicted } = setUp(t)
    object.attach(A)
    object.busy(false)
    object.opened(1)
    await tick(60_000)
    assert.deepEqual(evicted(), [])
  })

  it('leaves the container while a process that a person opened runs, and comes ten seconds after the last has ended', async (t) => {
    const { object, start, tick } = setUp(t)
    const [one, two] = ['one' as ProcessId, 'two' as ProcessId]
    object.attach(A)
    await start(A)
    object.attended(one, true)
    object.attended(two, true)
    object.busy(false)
    await tick(PARK_AFTER_MS)
    object.detach(A)
    await tick(10 * EVICT_AFTER_MS)
    assert.equal(object.state.state, 'running')
    object.attended(one, false)
    await tick(EVICT_AFTER_MS)
    assert.equal(object.state.state, 'running')
    object.attended(two, false)
    await tick(EVICT_AFTER_MS - 1)
    assert.equal(object.state.state, 'running')
    await tick(1)
    assert.match(stateLine(object.state), /^stopped: .*evicted/)
  })

  it('leaves a container that no eviction waited for as it is when a person’s process ends', async (t) => {
    const { object, start, tick } = setUp(t, { reloading: () => true })
    object.attach(A)
    await start(A)
    object.attended('one' as ProcessId, true)
    object.detach(A)
    object.attended('one' as ProcessId, false)
    await tick(10 * EVICT_AFTER_MS)
    assert.equal(object.state.state, 'running')
  })

  it('begins its time anew when a person comes', async (t) => {
    const { object, start, tick } = setUp(t)
    object.attach(A)
    await start(A)
    object.busy(false)
    await tick(PARK_AFTER_MS)
    object.detach(A)
    await tick(EVICT_AFTER_MS - PARK_AFTER_MS - 1)
    object.visited()
    await tick(EVICT_AFTER_MS - 1)
    assert.equal(object.state.state, 'running')
    await tick(1)
    assert.equal(object.state.state, 'stopped')
  })

  it('leaves what a person started meanwhile, until an instance was there again', async (t) => {
    const { object, start, end, tick } = setUp(t)
    object.attach(A)
    await start(A)
    object.busy(false)
    await tick(PARK_AFTER_MS)
    object.detach(A)
    end(1, 0)
    await tick(0)
    await object.start()
    await tick(10 * EVICT_AFTER_MS)
    assert.equal(object.state.state, 'running')
    object.attach(B)
    object.busy(false)
    await tick(PARK_AFTER_MS)
    object.detach(B)
    await tick(EVICT_AFTER_MS)
    assert.match(stateLine(object.state), /^stopped: .*evicted/)
  })

  it('is forgotten where the instance goes first', async (t) => {
    const { object, tick, evicted } = setUp(t)
    object.attach(A)
    object.busy(false)
    object.detach(A)
    await tick(60_000)
    assert.deepEqual(evicted(), [])
  })
})

describe('an abort', () => {
  it('ends the container before a new instance of the same isolate comes in', async (t) => {
    const { object, start } = setUp(t)
    await object.arriving('isolate 1')
    object.attach(A)
    await start(A)
    object.detach(A)
    await object.arriving('isolate 1')
    assert.equal(object.attach(B).running, false)
  })

  it('is not what a reload is: the instance of another isolate finds the container running', async (t) => {
    const { object, start } = setUp(t)
    await object.arriving('isolate 1')
    object.attach(A)
    await start(A)
    object.detach(A)
    await object.arriving('isolate 2')
    assert.equal(object.attach(B).running, true)
  })
})

describe('setInactivityTimeout', () => {
  const AN_HOUR = 3_600_000

  it('lets the container live on for that long without an instance', async (t) => {
    const { object, start, tick } = setUp(t)
    object.attach(A)
    await start(A)
    await object.call(A, { method: 'setInactivityTimeout', durationMs: AN_HOUR })
    object.detach(A)
    await tick(300)
    await tick(AN_HOUR - 1)
    assert.equal(object.state.state, 'running')
    await tick(1)
    assert.match(stateLine(object.state), /^stopped: .*evicted/)
  })

  it('does not count while a connection is open', async (t) => {
    const { object, start, tick } = setUp(t)
    object.attach(A)
    await start(A)
    await object.call(A, { method: 'setInactivityTimeout', durationMs: AN_HOUR })
    object.opened(1)
    object.detach(A)
    await tick(300)
    await tick(2 * AN_HOUR)
    assert.equal(object.state.state, 'running')
    object.opened(0)
    await tick(AN_HOUR)
    assert.equal(object.state.state, 'stopped')
  })

  it('ends with the next instance', async (t) => {
    const { object, start, tick } = setUp(t)
    object.attach(A)
    await start(A)
    await object.call(A, { method: 'setInactivityTimeout', durationMs: AN_HOUR })
    object.detach(A)
    await tick(300)
    object.attach(B)
    await tick(2 * AN_HOUR)
    assert.equal(object.state.state, 'running')
  })

  it('holds for one life', async (t) => {
    const { object, start, end, tick } = setUp(t)
    object.attach(A)
    await start(A)
    await object.call(A, { method: 'setInactivityTimeout', durationMs: AN_HOUR })
    end(1, 0)
    await settled()
    await start(A, 2)
    object.detach(A)
    await tick(300)
    assert.match(stateLine(object.state), /^stopped: .*abort/)
  })
})

describe('why a life ended', () => {
  it('is a sentence, also when the next life has begun, and nothing while it runs', async (t) => {
    const { object, start, end, tick } = setUp(t)
    object.attach(A)
    await start(A)
    end(1, 3)
    await settled()
    await start(A, 2)
    assert.equal(await object.whyEnded(1), 'The root process ended by itself with exit code 3.')
    const second = object.whyEnded(2)
    await tick(60_000)
    assert.equal(await second, undefined)
  })
})

describe('a container that was started without the Worker', () => {
  it('is what the Worker’s own start() finds done, where its instance has not heard of it', async (t) => {
    const { object, start, starts } = setUp(t)
    object.attach(A)
    await start(A)
    object.busy(true)
    await object.restart({ kind: 'image-rebuilt' })
    const made = starts.length
    assert.deepEqual(await object.call(A, { method: 'start', life: 2, options: {} }), { value: null })
    assert.equal(starts.length, made)
    assert.equal(object.state.state, 'running')
  })
})
