import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { SessionNetwork } from '../../../runtime/sandbox/network.ts'
import { SandboxPool } from '../../../runtime/sandbox/pool.ts'
import { Addresses } from '../../../runtime/sandbox/subnet.ts'
import { settled } from '../object/fakes.ts'
import { fakeProgramEngine } from './fakes.ts'

const SUBNET = { cidr: '10.213.0.0/22', bridge: '10.213.0.1', gateway: '10.213.0.2' }

function setUp(ready: number, saying?: string) {
  const log: string[] = []
  const problems: string[] = []
  const { engine, programs, failing } = fakeProgramEngine(log, saying)
  const addresses = new Addresses(SUBNET)
  const pool = new SandboxPool({
    engine,
    labels: { session: 's', owner: 'o', project: 'p' },
    agentImage: 'agent',
    network: { id: 'net', subnet: SUBNET, addresses } as unknown as SessionNetwork,
    ready,
    onProblem: (error) => problems.push(String(error)),
  })
  const created = (): number => log.filter((line) => line.startsWith('create')).length
  const removed = (): string[] => log.filter((line) => line.startsWith('remove'))
  return { pool, programs, failing, log, problems, created, removed, addresses }
}

describe('sandboxes', () => {
  it('are kept ready, as many as wanted', async () => {
    const { pool, created } = setUp(3)
    pool.fill()
    pool.fill()
    await settled()
    assert.equal(created(), 3)
  })

  it('join the session’s network at an address that we choose, with the gateway as resolver and few rights', async () => {
    const { pool, programs } = setUp(0)
    const sandbox = await pool.take()
    assert.deepEqual([sandbox.id, sandbox.address], ['program1', '10.213.0.16'])
    const { Cmd, Labels, HostConfig, NetworkingConfig } = programs[0]!.options
    assert.deepEqual(Cmd, ['sandbox', '10.213.0.2'])
    assert.deepEqual(Labels, {
      'moorage.session': 's',
      'moorage.owner': 'o',
      'moorage.project': 'p',
      'moorage.role': 'sandbox',
    })
    assert.deepEqual(NetworkingConfig, {
      EndpointsConfig: { net: { IPAMConfig: { IPv4Address: '10.213.0.16' } } },
    })
    assert.deepEqual(
      [HostConfig?.CapDrop, HostConfig?.CapAdd, HostConfig?.Dns, HostConfig?.AutoRemove],
      [['ALL'], ['NET_ADMIN'], ['10.213.0.2'], true],
    )
  })

  it('are taken one each, and made up for', async () => {
    const { pool, created } = setUp(2)
    pool.fill()
    await settled()
    const taken = await Promise.all([pool.take(), pool.take(), pool.take()])
    await settled()
    assert.equal(new Set(taken.map(({ address }) => address)).size, 3)
    assert.equal(created(), 5)
  })

  it('that are just being made are waited for, and not given twice', async () => {
    const { pool, programs } = setUp(1, '')
    pool.fill()
    await settled()
    const first = pool.take()
    const second = pool.take()
    await settled()
    for (const program of programs) program.say('ready\n')
    await settled()
    for (const program of programs) program.say('ready\n')
    assert.notEqual((await first).id, (await second).id)
  })

  it('that end by themselves are not given out', async () => {
    const { pool, programs, removed } = setUp(1)
    pool.fill()
    await settled()
    programs[0]!.end()
    await settled()
    assert.deepEqual(removed(), ['remove program1'])
    assert.equal((await pool.take()).id, 'program2')
  })

  it('give their address back when they are closed', async () => {
    const { pool, addresses } = setUp(0)
    const sandbox = await pool.take()
    await sandbox.close()
    const rest = Array.from({ length: 1_007 }, () => addresses.take())
    assert.equal(rest.at(-1), sandbox.address)
  })
})

describe('a sandbox that cannot be made', () => {
  it('fails who waits for it, and its address is free again', async () => {
    const { pool, failing, addresses } = setUp(0)
    // The first failure is taken for a kernel without IPv6, and tried again.
    failing.set('start', new Error('first'))
    assert.equal((await pool.take()).id, 'program2')
    failing.set('start', new Error('no'))
    await assert.rejects(pool.take(), { message: 'no' })
    const rest = Array.from({ length: 1_006 }, () => addresses.take())
    assert.equal(rest.at(-1), '10.213.0.17')
  })

  it('in the background is told once, and not tried for ever', async () => {
    const { pool, failing, problems, created } = setUp(1)
    failing.set('create', new Error('no'))
    pool.fill()
    await settled()
    failing.set('create', new Error('no'))
    pool.fill()
    await settled()
    assert.ok(created() <= 3)
    assert.ok(problems.length <= 1)
  })
})

describe('close', () => {
  it('ends what is ready, and makes no more', async () => {
    const { pool, removed, created } = setUp(2)
    pool.fill()
    await settled()
    await pool.close()
    assert.equal(removed().length, 2)
    pool.fill()
    await settled()
    assert.equal(created(), 2)
  })

  it('waits for what is being made, and ends it', async () => {
    const { pool, programs, removed } = setUp(1, '')
    pool.fill()
    await settled()
    let closed = false
    const closing = pool.close().then(() => {
      closed = true
    })
    await settled()
    assert.equal(closed, false)
    programs[0]!.say('ready\n')
    await closing
    assert.deepEqual(removed(), ['remove program1'])
  })

  it('leaves alone what was taken', async () => {
    const { pool, removed } = setUp(1)
    pool.fill()
    await settled()
    await pool.take()
    await settled()
    await pool.close()
    assert.deepEqual(removed(), ['remove program2'])
  })
})
