// Limits as in production, and how they are switched off.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type Running, run } from '../../support/session.ts'

const MIB = 1_048_576

describe('limits', () => {
  let running: Running
  before(async () => {
    running = await run('box')
  })
  after(() => running?.[Symbol.asyncDispose]())

  it('are those of the instance type', async () => {
    const [box, crate] = [running.box('a'), running.box('a', 'Crate')]
    await Promise.all([box.start(), crate.start()])
    assert.deepEqual(await box.ask('cgroup'), { memoryBytes: 4_096 * MIB, cpus: 0.5 })
    const lite = await crate.ask('cgroup')
    assert.equal(lite.memoryBytes, 256 * MIB)
    assert.ok(Math.abs(lite.cpus - 1 / 16) < 0.001, `${lite.cpus}`)
  })

  it('are those of start({instance}) where it names some', async () => {
    const [named, counted] = [running.box('named'), running.box('counted')]
    await Promise.all([
      named.start({ instance: 'basic' }),
      counted.start({ instance: { vcpu: 0.75, memoryMib: 300, diskMb: 2_000 } }),
    ])
    assert.deepEqual(await named.ask('cgroup'), { memoryBytes: 1_024 * MIB, cpus: 0.25 })
    assert.deepEqual(await counted.ask('cgroup'), { memoryBytes: 300 * MIB, cpus: 0.75 })
    await Promise.all([named.do('destroy'), counted.do('destroy')])
  })

  it('of the number refuse one more with the platform’s phrase, and say which limit it is', async () => {
    const second = running.box('b', 'Crate')
    const { ended } = (await second.start()) as { ended: { message: string; cause: string } }
    assert.deepEqual(ended, {
      message: 'there is no container instance that can be provided to this durable object',
      cause: 'Crate has 1 containers running, and max_instances is 1.',
    })
    const end = await second.end()
    assert.deepEqual(
      { kind: end.reason.kind, code: 'code' in end.reason && end.reason.code, advice: end.advice },
      {
        kind: 'start-failed',
        code: 'too-many-instances',
        advice: ['Raise "max_instances" in the wrangler config, or end containers that are not needed.'],
      },
    )
    await running.box('a', 'Crate').do('destroy')
    assert.deepEqual(await second.start(), { answers: true })
    await second.do('destroy')
  })

  it('of memory end a container that wants more, for that reason', async () => {
    const crate = running.box('a', 'Crate')
    const { now } = running.events
    await crate.start()
    const ended = crate.do('end')
    await crate.ask('eat?mib=400').catch(() => undefined)
    assert.equal((await ended).ended.exitCode, 137)
    const end = await crate.end(now)
    assert.deepEqual(end.reason, { kind: 'out-of-memory', exitCode: 137 })
    assert.equal(end.message, 'Out of memory: the kernel killed the root process at its limit of 256 MiB (exit 137).')
  })

  it('are all off where the session says so', async () => {
    await running.session.dispose()
    await using free = await run('box', { limits: false })
    const [one, two] = [free.box('a', 'Crate'), free.box('b', 'Crate')]
    await one.start()
    assert.deepEqual(await two.start(), { answers: true })
    assert.deepEqual(await one.ask('cgroup'), { memoryBytes: null, cpus: null })
    assert.equal(
      free.session.model.classes.find((c) => c.className === 'Crate')?.maxInstances,
      Number.POSITIVE_INFINITY,
    )
  })
})
