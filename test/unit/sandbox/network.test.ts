import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { type GatewayAddress, SessionNetwork } from '../../../runtime/sandbox/network.ts'
import { settled } from '../object/fakes.ts'
import { fakeProgramEngine } from './fakes.ts'

/** Options of a network whose gateways are fakes; `connecting` decides about each connect(). */
function setUp(t: TestContext, connecting: (count: number) => Promise<void> = async () => undefined) {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const log: string[] = []
  const { engine, programs, failing } = fakeProgramEngine(log)
  const connected: GatewayAddress[] = []
  const failures: string[] = []
  const options = {
    engine,
    labels: { session: '0000abc', owner: 'o', project: 'p' },
    agentImage: 'agent',
    connect: async (address: GatewayAddress) => {
      connected.push(address)
      await connecting(connected.length)
    },
    onFailure: (error: Error) => failures.push(error.message),
  }
  const pause = async (): Promise<void> => {
    await settled()
    t.mock.timers.tick(250)
    await settled()
  }
  return { options, log, programs, failing, connected, failures, pause }
}

describe('a session’s network', () => {
  it('has a gateway at a fixed address, with what it keeps out of reach, and the relay is told where it is', async (t) => {
    const { options, log, programs, connected } = setUp(t)
    const network = await SessionNetwork.open(options)
    assert.deepEqual(log.slice(0, 2), [`network moorage-0000abc ${network.subnet.cidr}`, 'create program1'])
    const { name, Cmd, HostConfig, NetworkingConfig } = programs[0]!.options
    assert.match(name ?? '', /^moorage-0000abc-10-21[34]-\d+-2$/)
    assert.deepEqual(Cmd?.slice(0, 2), ['gateway', '172.17.0.0/16'])
    assert.deepEqual(NetworkingConfig, {
      EndpointsConfig: { net: { IPAMConfig: { IPv4Address: network.subnet.gateway } } },
    })
    assert.deepEqual(HostConfig?.CapAdd, ['NET_ADMIN', 'NET_BIND_SERVICE'])
    assert.deepEqual([connected[0]?.host, connected[0]?.port], ['127.0.0.1', 30_001])
    assert.ok(Buffer.concat(programs[0]!.stdin).includes(Buffer.from(connected[0]!.secret)))
  })

  it('takes another subnet where the engine has one that overlaps', async (t) => {
    const { options, log, failing } = setUp(t)
    failing.set('network', new Error('Pool overlaps with other one on this address space'))
    await SessionNetwork.open(options)
    const subnets = log.filter((line) => line.startsWith('network'))
    assert.equal(new Set(subnets).size, 2)
  })

  it('ends its gateway when it is closed, and then goes itself, when nothing is in it any more', async (t) => {
    const { options, log } = setUp(t)
    const network = await SessionNetwork.open(options)
    log.length = 0
    let leave: () => void = () => undefined
    const empty = new Promise<void>((resolve) => {
      leave = resolve
    })
    const closing = network.close(empty)
    await settled()
    assert.deepEqual(log, ['detach program1', 'remove program1'])
    leave()
    await closing
    assert.deepEqual(log.slice(2), ['remove net'])
  })

  for (const call of ['create', 'start']) {
    it(`leaves nothing where its gateway fails in ${call}`, async (t) => {
      const { options, log, failing } = setUp(t)
      failing.set(call, new Error('no'))
      await assert.rejects(SessionNetwork.open(options), { message: 'no' })
      assert.equal(log.at(-1), 'remove net')
    })
  }

  it('leaves nothing where the relay cannot reach its gateway', async (t) => {
    const { options, log } = setUp(t, () => Promise.reject(new Error('unreachable')))
    await assert.rejects(SessionNetwork.open(options), { message: 'unreachable' })
    assert.deepEqual(log.slice(-3), ['detach program1', 'remove program1', 'remove net'])
  })
})

describe('a gateway that is lost', () => {
  it('is replaced at the same address with another secret', async (t) => {
    const { options, programs, connected, failures } = setUp(t)
    const network = await SessionNetwork.open(options)
    programs[0]!.end()
    await settled()
    assert.deepEqual(programs[1]?.options.NetworkingConfig, programs[0]!.options.NetworkingConfig)
    assert.equal(connected.length, 2)
    assert.notDeepEqual(connected[0]?.secret, connected[1]?.secret)
    programs[1]!.end()
    await settled()
    assert.deepEqual([connected.length, failures], [3, []])
    await network.close()
  })

  it('is replaced although a first try fails, which leaves nothing', async (t) => {
    const { options, log, programs, connected, failures, pause } = setUp(t, async (count) => {
      if (count === 2) throw new Error('unreachable')
    })
    await SessionNetwork.open(options)
    programs[0]!.end()
    await pause()
    assert.deepEqual([connected.length, failures], [3, []])
    assert.ok(log.includes('remove program2'))
  })

  it('is replaced also where its successor ends as soon as it is there', async (t) => {
    const { options, programs, connected } = setUp(t, async (count) => {
      if (count === 2) programs[1]!.end()
      await settled()
    })
    await SessionNetwork.open(options)
    programs[0]!.end()
    for (let i = 0; i < 10; i++) await settled()
    assert.equal(connected.length, 3)
  })

  it('that cannot be replaced is told once, after some tries', async (t) => {
    const { options, programs, connected, failures, pause } = setUp(t, async (count) => {
      if (count > 1) throw new Error('unreachable')
    })
    await SessionNetwork.open(options)
    programs[0]!.end()
    for (let i = 0; i < 10; i++) await pause()
    assert.deepEqual([connected.length, failures], [6, ['unreachable']])
  })

  it('is not replaced in a network that is being closed', async (t) => {
    const { options, programs, connected } = setUp(t)
    const network = await SessionNetwork.open(options)
    const closing = network.close()
    programs[0]!.end()
    await closing
    await settled()
    assert.equal(connected.length, 1)
  })

  it('leaves no successor behind in a network that is closed meanwhile', async (t) => {
    let connect: () => void = () => undefined
    const { options, log, programs } = setUp(t, (count) =>
      count === 1
        ? Promise.resolve()
        : new Promise((resolve) => {
            connect = resolve
          }),
    )
    const network = await SessionNetwork.open(options)
    programs[0]!.end()
    await settled()
    const closing = network.close()
    await settled()
    connect()
    await closing
    assert.ok(log.includes('remove program2'))
  })
})
