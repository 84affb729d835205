import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Latch } from '../../../runtime/base/latch.ts'
import { Life, type LifeOptions } from '../../../runtime/object/container.ts'
import { TERM_IS_IGNORED } from '../../../runtime/object/explain.ts'
import type { Prepared } from '../../../runtime/object/prepared.ts'
import { Fact } from '../../../runtime/protocol/agent.ts'
import { MoorageError } from '../../../runtime/protocol/errors.ts'
import { objectKey } from '../../../runtime/protocol/model.ts'
import type { RunCommand, RunResult } from '../../../runtime/protocol/relay.ts'
import type { StartOptions } from '../../../runtime/protocol/worker.ts'
import { fakeContainer, fakeEngine, fakeRelay, type RelayAnswers, settled, stateLine } from './fakes.ts'

const COMMAND: RunCommand = { argv: ['node', 'server.js'], env: {}, cwd: '/app', user: '' }
const IMAGE = { name: 'quotes:1', command: COMMAND }
const BY_WORKER = { kind: 'destroyed', by: 'worker' } as const

/** A life with everything around it told as lines. What it waits for is at once there, unless `more` says otherwise. */
function setUp(
  more: {
    start?: StartOptions
    image?: LifeOptions['image']
    container?: (prepared: Prepared) => Promise<Prepared>
    relay?: RelayAnswers
    onKill?: (signal: number) => void | Promise<void>
    bind?: (container: string | null) => Promise<void>
  } = {},
) {
  const log: string[] = []
  /** What the container has written. */
  const lines: string[] = []
  const box = fakeContainer('box', log)
  const life = new Life({
    object: KEY,
    number: 1,
    start: more.start ?? {},
    engine: fakeEngine(log, (_, signal) =>
      (more.onKill ?? (() => box.exit.resolve({ exitCode: 137, error: undefined })))(signal),
    ),
    relay: fakeRelay(log, more.relay),
    memoryMib: 256,
    containerName: 'moorage-Quotes-a-1',
    image: more.image ?? (async () => IMAGE),
    container: () => (more.container ?? (async (prepared) => prepared))(box.prepared),
    bind: async (container) => {
      log.push(`bind ${container}`)
      await more.bind?.(container)
    },
    onState: (state) => log.push(stateLine(state)),
    onAdvice: (text) => log.push(`advice: ${text}`),
    lastLog: () => [...lines],
    onClosing: () => undefined,
  })
  const exit = (exitCode: number): void => box.exit.resolve({ exitCode, error: undefined })
  return { life, box, log, lines, exit }
}

const KEY = objectKey('Box', 'ab')

describe('a start', () => {
  it('goes through its phases, and leads requests to the container before it says that it runs', async () => {
    const { life, log } = setUp()
    assert.equal(await life.begin(), undefined)
    assert.deepEqual(log, [
      'starting image',
      'starting create',
      'starting start',
      `run box node,server.js ${KEY} 1`,
      'bind box',
      'running box',
    ])
    assert.equal(life.over, false)
    assert.equal(life.containerId, 'box')
  })

  it('lets the sandbox use the internet before the app runs, where start() said so', async () => {
    const { life, log } = setUp({ start: { enableInternet: true } })
    await life.begin()
    assert.deepEqual(log.slice(2, 5), [
      'starting start',
      'internet 10.213.0.16 true',
      `run box node,server.js ${KEY} 1`,
    ])
  })

  it('is refused without an image or a container where the class has too many', async () => {
    const { life, log } = setUp()
    const refusal = await life.begin({ code: 'too-many-instances', message: 'Quotes has 2 containers running.' })
    assert.deepEqual(refusal, {
      message: 'there is no container instance that can be provided to this durable object',
      cause: 'Quotes has 2 containers running.',
    })
    assert.deepEqual(await life.outcome, { life: 1, failure: refusal })
    assert.deepEqual(log, ['bind null', 'failed: It did not start: Quotes has 2 containers running.'])
    assert.deepEqual((await life.ended).reason, {
      kind: 'start-failed',
      phase: 'image',
      code: 'too-many-instances',
      message: 'Quotes has 2 containers running.',
    })
  })

  it('fails in the phase it reached, with the error in its words and the platform’s phrase', async () => {
    const { life, log } = setUp({
      image: () => Promise.reject(new MoorageError('build-failed', 'Line 3 of the Dockerfile failed.')),
    })
    assert.deepEqual(await life.begin(), {
      message: 'Container failed to start',
      cause: 'Line 3 of the Dockerfile failed.',
    })
    assert.deepEqual(log, [
      'starting image',
      'bind null',
      'failed: It did not start (image): Line 3 of the Dockerfile failed.',
    ])
  })

  it('fails in phase create where no container can be made', async () => {
    const { life } = setUp({ container: () => Promise.reject(new Error('no space left on device')) })
    await life.begin()
    const { reason } = await life.ended
    assert.deepEqual(reason, {
      kind: 'start-failed',
      phase: 'create',
      code: 'start-failed',
      message: 'no space left on device',
    })
  })

  it('says what cannot be executed, and removes the container', async () => {
    const { life, box, log } = setUp({ relay: { run: () => ({ errno: 2, step: 2 }) } })
    const refusal = await life.begin()
    assert.equal(refusal?.cause, 'cannot execute "node": no such file or directory')
    assert.deepEqual(log.slice(-3), [
      'bind null',
      'failed: It did not start (start): cannot execute "node": no such file or directory',
      'close box',
    ])
    assert.equal(box.closed, 1)
    assert.equal((await life.outcome).exitCode, undefined)
  })

  it('is not told as a failed start where the app ran and ended before the answer came', async () => {
    const run = new Latch<RunResult>()
    const { life, log, exit } = setUp({ relay: { run: () => run.promise } })
    const begun = life.begin()
    await settled()
    exit(7)
    await settled()
    run.resolve({ pid: 1 })
    assert.equal(await begun, undefined)
    assert.deepEqual(await life.outcome, { life: 1, exitCode: 7 })
    assert.deepEqual(log.slice(-3), [
      'bind null',
      'failed: The root process ended by itself with exit code 7.',
      'close box',
    ])
  })

  it('leads requests nowhere again where the app ended while they were being led to it', async () => {
    const bound = new Latch()
    const { life, log, exit } = setUp({ bind: (container) => (container === null ? Promise.resolve() : bound.promise) })
    const begun = life.begin()
    await settled()
    exit(0)
    await settled()
    bound.resolve()
    await begun
    assert.deepEqual(log.slice(-5), [
      'bind box',
      'bind null',
      'stopped: The root process ended by itself (exit 0).',
      'close box',
      'bind null',
    ])
  })
})

describe('an end', () => {
  it('by itself is told with its exit code, after requests were led away', async () => {
    const unbound = new Latch()
    const { life, exit, box } = setUp({
      bind: (container) => (container === null ? unbound.promise : Promise.resolve()),
    })
    await life.begin()
    exit(3)
    const end = await life.ended
    assert.deepEqual(end.reason, { kind: 'exited', exitCode: 3 })
    let told = false
    void life.outcome.then(() => {
      told = true
    })
    await settled()
    assert.equal(told, false)
    unbound.resolve()
    assert.deepEqual(await life.outcome, { life: 1, exitCode: 3 })
    assert.equal(box.closed, 1)
  })

  it('waits a moment for the last lines, which come another way than the exit', async () => {
    const { life, box, exit, lines } = setUp()
    box.quiet = true
    await life.begin()
    lines.push('before')
    exit(1)
    await settled()
    assert.equal(life.over, false)
    lines.push('the very last')
    box.oom.resolve()
    box.silent.resolve()
    assert.deepEqual((await life.ended).lastLog, ['before', 'the very last'])
  })

  it('does not wait for them for ever', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const { life, box, exit } = setUp()
    box.quiet = true
    await life.begin()
    exit(0)
    await settled()
    t.mock.timers.tick(250)
    assert.deepEqual((await life.ended).reason, { kind: 'exited', exitCode: 0 })
  })

  it('is told as out of memory where the kernel killed the root process for it', async () => {
    const { life, box, exit } = setUp()
    await life.begin()
    box.oom.resolve()
    exit(137)
    assert.deepEqual((await life.ended).reason, { kind: 'out-of-memory', exitCode: 137 })
  })

  it('is not told as out of memory where that hit another process, and the root process ended later', async () => {
    const { life, box, exit } = setUp()
    await life.begin()
    box.oom.resolve()
    exit(0)
    assert.deepEqual((await life.ended).reason, { kind: 'exited', exitCode: 0 })
  })

  it('is told as a lost engine where the engine cannot say how it ended', async () => {
    const { life, box } = setUp()
    await life.begin()
    box.exit.reject(new Error('socket hang up'))
    assert.deepEqual((await life.ended).reason, { kind: 'engine-gone' })
    assert.deepEqual(await life.outcome, { life: 1, exitCode: 137 })
  })

  it('is told once: what comes later changes nothing', async () => {
    const { life, log, exit, box } = setUp()
    await life.begin()
    exit(0)
    await life.ended
    const before = [...log]
    await life.destroy({ kind: 'session-ended' })
    await life.signal(15, 'person')
    assert.deepEqual(log, before)
    assert.equal(box.closed, 1)
  })
})

describe('destroy', () => {
  it('kills the container, and resolves when it is over with exit code 137', async () => {
    const { life, log } = setUp()
    await life.begin()
    log.length = 0
    await life.destroy({ ...BY_WORKER, value: 'enough' })
    assert.deepEqual(await life.outcome, { life: 1, exitCode: 137 })
    assert.deepEqual(log, [
      'stopping SIGKILL',
      'kill box 9',
      'bind null',
      'stopped: Destroyed by the Worker: enough.',
      'close box',
    ])
  })

  it('does not wait for the engine where the agent’s link says that the container is gone', async () => {
    const { life, box } = setUp({ onKill: () => box.linkDown.resolve() })
    await life.begin()
    await life.destroy(BY_WORKER)
    assert.equal(life.over, true)
  })

  it('is over where the engine refuses the kill, as the container ended in the same moment', async () => {
    const { life } = setUp({ onKill: () => Promise.reject(new Error('is not running')) })
    await life.begin()
    await life.destroy(BY_WORKER)
    assert.deepEqual((await life.ended).reason, BY_WORKER)
  })

  it('called twice keeps the first value, kills once, and both wait for the end', async () => {
    const { life, log, exit } = setUp({ onKill: () => undefined })
    await life.begin()
    const first = life.destroy({ ...BY_WORKER, value: 'first' })
    let over = 0
    const second = life.destroy({ ...BY_WORKER, value: 'second' }).then(() => {
      over += 1
    })
    await settled()
    assert.equal(over, 0)
    exit(137)
    await Promise.all([first, second])
    assert.deepEqual((await life.ended).reason, { ...BY_WORKER, value: 'first' })
    assert.deepEqual(
      log.filter((line) => line.startsWith('kill')),
      ['kill box 9'],
    )
  })

  it('while the image is made ends it at once; the image that comes late starts nothing', async () => {
    const image = new Latch<typeof IMAGE>()
    const { life, log, box } = setUp({ image: () => image.promise })
    const begun = life.begin()
    await life.destroy(BY_WORKER)
    image.resolve(IMAGE)
    assert.equal(await begun, undefined)
    assert.deepEqual(log, ['starting image', 'bind null', 'stopped: Destroyed by the Worker.'])
    assert.equal(box.closed, 0)
  })

  it('while the container is made ends it at once; the container that comes late is removed', async () => {
    const made = new Latch()
    const { life, log, box } = setUp({
      container: async (prepared) => {
        await made.promise
        return prepared
      },
    })
    const begun = life.begin()
    await settled()
    await life.destroy(BY_WORKER)
    made.resolve()
    assert.equal(await begun, undefined)
    assert.equal(box.closed, 1)
    assert.deepEqual(log.slice(-3), ['bind null', 'stopped: Destroyed by the Worker.', 'close box'])
  })

  it('while the app starts is the end of it, also where the start succeeds before the kill does', async () => {
    const run = new Latch<RunResult>()
    const { life, log, exit } = setUp({ relay: { run: () => run.promise }, onKill: () => undefined })
    const begun = life.begin()
    await settled()
    const destroyed = life.destroy(BY_WORKER)
    run.resolve({ pid: 1 })
    assert.equal(await begun, undefined)
    exit(137)
    await destroyed
    assert.deepEqual(log.slice(3), [
      `run box node,server.js ${KEY} 1`,
      'stopping SIGKILL',
      'kill box 9',
      'bind null',
      'stopped: Destroyed by the Worker.',
      'close box',
    ])
  })

  it('while the app starts is not told as a failed start where that breaks with it', async () => {
    const run = new Latch<RunResult>()
    const { life } = setUp({ relay: { run: () => run.promise }, onKill: () => undefined })
    const begun = life.begin()
    await settled()
    void life.destroy(BY_WORKER)
    run.reject(new Error('The container has ended.'))
    assert.equal(await begun, undefined)
    assert.deepEqual((await life.ended).reason, BY_WORKER)
    assert.deepEqual(await life.outcome, { life: 1, exitCode: 137 })
  })

  it('is what is told, whatever signal was sent before', async () => {
    const { life } = setUp()
    await life.begin()
    await life.signal(15, 'worker', true)
    await life.destroy({ kind: 'destroyed', by: 'person' })
    assert.deepEqual((await life.ended).reason, { kind: 'destroyed', by: 'person' })
  })
})

describe('signal', () => {
  const status = (caught: string) => `Name:\tapp\nSigCgt:\t${caught}\n`

  it('goes through the agent, and the end that follows is told as its', async () => {
    const { life, log, exit } = setUp({ relay: { ask: () => status('0000000000004000') } })
    await life.begin()
    log.length = 0
    await life.signal(15, 'worker')
    exit(0)
    assert.deepEqual((await life.ended).reason, { kind: 'signalled', by: 'worker', sent: 15, exitCode: 0 })
    assert.deepEqual(log, [
      'signal box 15',
      'stopping SIGTERM',
      'bind null',
      'stopped: Ended after the Worker sent SIGTERM (exit 0).',
      'close box',
    ])
  })

  it('of sleepAfter is told as idle', async () => {
    const { life, log, exit } = setUp({ relay: { ask: () => '' } })
    await life.begin()
    await life.signal(15, 'worker', true)
    exit(143)
    assert.deepEqual((await life.ended).reason, { kind: 'idle', exitCode: 143 })
    assert.ok(log.includes('stopping SIGTERM, sleepAfter'))
  })

  it('KILL and STOP go through the engine, as from inside they are ignored', async () => {
    const { life, log, exit } = setUp({ onKill: () => undefined })
    await life.begin()
    log.length = 0
    await life.signal(19, 'person')
    await life.signal(9, 'person')
    exit(137)
    assert.deepEqual((await life.ended).reason, { kind: 'signalled', by: 'person', sent: 9, exitCode: 137 })
    assert.deepEqual(log.slice(0, 2), ['kill box 19', 'kill box 9'])
  })

  it('says so where the root process is still there a while after a TERM and has no handler for it', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const { life, log } = setUp({ relay: { ask: () => status('0000000000000000') } })
    await life.begin()
    await life.signal(15, 'worker')
    t.mock.timers.tick(999)
    await settled()
    assert.equal(log.at(-1), 'stopping SIGTERM')
    t.mock.timers.tick(1)
    await settled()
    assert.deepEqual(log.slice(-2), [`ask box ${Fact.STATUS}`, `advice: ${TERM_IS_IGNORED}`])
  })

  it('says nothing of a root process that has one by then', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const { life, log } = setUp({ relay: { ask: () => status('0000000000004000') } })
    await life.begin()
    await life.signal(15, 'worker')
    t.mock.timers.tick(1_000)
    await settled()
    assert.equal(log.at(-1), `ask box ${Fact.STATUS}`)
  })

  it('that ends a process ends a start that still waits for its image', async () => {
    const { life, log } = setUp({ image: () => new Promise(() => undefined) })
    void life.begin()
    await life.signal(15, 'worker', true)
    assert.deepEqual((await life.ended).reason, { kind: 'idle', exitCode: 143 })
    assert.ok(!log.some((line) => line.startsWith('signal')))
  })

  it('sent while it starts waits until the app runs', async () => {
    const run = new Latch<RunResult>()
    const { life, log } = setUp({ relay: { run: () => run.promise } })
    const begun = life.begin()
    const sent = life.signal(10, 'worker')
    await settled()
    assert.ok(!log.includes('signal box 10'))
    run.resolve({ pid: 1 })
    await Promise.all([begun, sent])
    assert.equal(log.at(-1), 'signal box 10')
  })

  it('sent while it starts is lost where it never runs', async () => {
    const { life, log } = setUp({ image: () => Promise.reject(new Error('no image')) })
    const begun = life.begin()
    await Promise.all([begun, life.signal(15, 'worker')])
    assert.ok(!log.some((line) => line.startsWith('signal')))
  })

  it('that an app handles does not explain a later end of its own', async () => {
    const { life, exit } = setUp()
    await life.begin()
    await life.signal(10, 'worker')
    exit(1)
    assert.deepEqual((await life.ended).reason, { kind: 'exited', exitCode: 1 })
  })

  it('that an app does not handle explains the end by it', async () => {
    const { life, exit } = setUp()
    await life.begin()
    await life.signal(10, 'worker')
    exit(138)
    assert.deepEqual((await life.ended).reason, { kind: 'signalled', by: 'worker', sent: 10, exitCode: 138 })
  })

  it('explains the end by the last one that was sent', async () => {
    const { life, exit } = setUp({ relay: { ask: () => '' }, onKill: () => undefined })
    await life.begin()
    await life.signal(15, 'worker')
    await life.signal(9, 'worker')
    exit(137)
    assert.deepEqual((await life.ended).reason, { kind: 'signalled', by: 'worker', sent: 9, exitCode: 137 })
  })
})

describe('a port that nobody listens on', () => {
  const tables: Record<number, string> = {
    [Fact.LISTENING]: '  0: 00000000:0BB8 00000000:0000 0A 00000000:00000000\n',
  }
  const asked = { ask: ({ fact }: { fact: number }) => tables[fact] }

  it('is no word worth while the app may still be starting', async () => {
    const { life, log } = setUp({ relay: asked })
    await life.begin()
    await life.refused(8080)
    assert.ok(!log.some((line) => line.startsWith('ask')))
  })

  it('is told once, with the ports that are open', async (t) => {
    t.mock.timers.enable({ apis: ['Date'] })
    const { life, log } = setUp({ relay: asked })
    await life.begin()
    t.mock.timers.setTime(5_000)
    await life.refused(8080)
    await life.refused(8080)
    assert.deepEqual(
      log.filter((line) => line.startsWith('advice')),
      [
        'advice: Nothing listens on port 8080, 5 s after the start. The container listens on port 3000: let the app listen on 8080, or let the Worker ask for that one (defaultPort of a Container class).',
      ],
    )
  })

  it('is not told where by now it is open', async (t) => {
    t.mock.timers.enable({ apis: ['Date'] })
    const { life, log } = setUp({ relay: asked })
    await life.begin()
    t.mock.timers.setTime(5_000)
    await life.refused(3000)
    assert.ok(!log.some((line) => line.startsWith('advice')))
  })
})
