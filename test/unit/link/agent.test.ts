import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, it, type TestContext } from 'node:test'
import { AgentLink } from '../../../runtime/link/agent.ts'
import {
  type Command,
  CommandFlag,
  encodeCommand,
  Fact,
  FromAgent,
  Stream,
  ToAgent,
} from '../../../runtime/protocol/agent.ts'
import {
  encodeFrame,
  HEADER_BYTES,
  MAX_COMMAND_BYTES,
  MAX_PAYLOAD_BYTES,
  WINDOW_BYTES,
} from '../../../runtime/protocol/frames.ts'
import { ScriptedAgent, u32 } from './fake-agent.ts'
import { closed, socketPair } from './sockets.ts'

const COMMAND: Command = { argv: ['app'], env: {}, cwd: '/', user: '', flags: 0, cols: 0, rows: 0 }
const RUN = `RUN 0 ${Buffer.from(encodeCommand(COMMAND)).toString('hex')}`
const failed = (errno: number, step: number): Buffer => Buffer.concat([u32(errno), Buffer.of(step)])

/** A link and an agent that only does what the test says. `changes` is told each time the link goes up or down. */
async function setUp(t: TestContext) {
  const changes: string[] = []
  const waiting: (() => void)[] = []
  const link = new AgentLink((up) => {
    changes.push(up ? 'up' : 'down')
    for (const resolve of waiting.splice(0)) resolve()
  })
  t.after(() => link.close())
  const change = (): Promise<void> => new Promise((resolve) => waiting.push(resolve))
  const join = async (rest = Buffer.alloc(0)): Promise<ScriptedAgent> => {
    const [near, far] = await socketPair(t)
    link.adopt(near, rest)
    return new ScriptedAgent(far)
  }
  const lose = async (agent: ScriptedAgent): Promise<void> => {
    const down = change()
    agent.socket.destroy()
    await down
  }
  return { link, changes, change, join, lose }
}

/** A link whose agent has said hello. */
async function opened(t: TestContext) {
  const all = await setUp(t)
  const agent = await all.join()
  agent.hello()
  await all.link.up
  return { ...all, agent }
}

describe('a link', () => {
  it('is up when the agent has said hello', async (t) => {
    const { link, changes, join } = await setUp(t)
    const agent = await join()
    assert.deepEqual(changes, [])
    agent.hello()
    await link.up
    assert.deepEqual(changes, ['up'])
  })

  it('takes a hello that came behind the opening', async (t) => {
    const { link, join } = await setUp(t)
    await join(Buffer.from(encodeFrame(FromAgent.HELLO, 0, Uint8Array.of(0))))
    await link.up
  })

  it('goes down with its socket, and up again with the next one', async (t) => {
    const { link, changes, join, lose, agent } = await opened(t)
    await lose(agent)
    const up = link.up
    const again = await join()
    again.hello()
    await up
    assert.deepEqual(changes, ['up', 'down', 'up'])
  })

  it('closes the older socket where a newer one comes, and breaks what went over it', async (t) => {
    const { link, changes, join, agent } = await opened(t)
    const dialled = link.dial(80)
    await agent.open()
    const connection = await dialled
    const broken = closed(connection)
    const again = await join()
    await Promise.all([broken, closed(agent.socket)])
    again.hello()
    await link.up
    assert.deepEqual(changes, ['up', 'down', 'up'])
  })

  it('rejects what waits when it is closed for good, and takes no socket any more', async (t) => {
    const { link, join, lose, agent } = await opened(t)
    await lose(agent)
    const waiting = link.up
    const dialled = link.dial(80)
    link.close()
    await assert.rejects(waiting, { message: 'The container has ended.' })
    await assert.rejects(dialled, { name: 'DialError', refused: false })
    await assert.rejects(link.dial(80), { name: 'DialError' })
    await assert.rejects(link.run(COMMAND), { message: 'The container has ended.' })
    const late = await join()
    await closed(late.socket)
  })

  it('refuses a dial after close, also long after', async (t) => {
    const { link, agent } = await opened(t)
    link.close()
    await closed(agent.socket)
    await new Promise((resolve) => setImmediate(resolve))
    await assert.rejects(link.dial(80), { name: 'DialError', message: 'The container has ended.' })
  })
})

describe('run', () => {
  it('resolves with the pid', async (t) => {
    const { link, agent } = await opened(t)
    const run = link.run(COMMAND)
    assert.equal(await agent.next(), RUN)
    agent.send(FromAgent.STARTED, 0, u32(1))
    assert.deepEqual(await run, { pid: 1 })
  })

  it('resolves with errno and step where it failed', async (t) => {
    const { link, agent } = await opened(t)
    const run = link.run(COMMAND)
    await agent.next()
    agent.send(FromAgent.FAILED, 0, failed(2, 3))
    assert.deepEqual(await run, { errno: 2, step: 3 })
  })

  it('goes in parts where it is too long for one frame', async (t) => {
    const { link, agent } = await opened(t)
    const command = { ...COMMAND, env: { A: 'x'.repeat(2 * MAX_PAYLOAD_BYTES) } }
    const run = link.run(command)
    const parts = [await agent.frame(), await agent.frame(), await agent.frame()]
    assert.deepEqual(
      parts.map(({ type, id }) => [type, id]),
      [
        [ToAgent.PART, 0],
        [ToAgent.PART, 0],
        [ToAgent.RUN, 0],
      ],
    )
    assert.deepEqual(Buffer.concat(parts.map(({ payload }) => payload)), Buffer.from(encodeCommand(command)))
    agent.send(FromAgent.STARTED, 0, u32(1))
    await run
  })

  it('is too long for the wire: that is what the kernel would say', async (t) => {
    const { link } = await opened(t)
    assert.deepEqual(await link.run({ ...COMMAND, env: { A: 'x'.repeat(MAX_COMMAND_BYTES) } }), { errno: 7, step: 0 })
  })

  it('waits for the link where it is down', async (t) => {
    const { link, join, lose, agent } = await opened(t)
    await lose(agent)
    const run = link.run(COMMAND)
    const again = await join()
    again.hello()
    assert.equal(await again.next(), RUN)
    again.send(FromAgent.STARTED, 0, u32(1))
    assert.deepEqual(await run, { pid: 1 })
  })

  it('is sent again where the link was lost before the agent heard it', async (t) => {
    const { link, join, lose, agent } = await opened(t)
    const run = link.run(COMMAND)
    await agent.next()
    await lose(agent)
    const again = await join()
    again.hello()
    assert.equal(await again.next(), RUN)
    again.send(FromAgent.FAILED, 0, failed(114, 0))
    again.send(FromAgent.STARTED, 0, u32(1))
    assert.deepEqual(await run, { pid: 1 })
  })

  it('went well where its answer was lost with the link, and the app runs', async (t) => {
    const { link, join, lose, agent } = await opened(t)
    const run = link.run(COMMAND)
    await agent.next()
    await lose(agent)
    const again = await join()
    again.hello(true)
    assert.deepEqual(await run, { pid: 1 })
  })
})

describe('spawn', () => {
  it('waits for the link where it is down, and gives the process its stdin then', async (t) => {
    const { link, join, lose, agent } = await opened(t)
    await lose(agent)
    const process = link.spawn({ ...COMMAND, flags: CommandFlag.STDIN })
    process.stdin?.end('early')
    process.kill(15)
    const again = await join()
    again.hello(true)
    const told = [await again.next(), await again.next(), await again.next(), await again.next()]
    assert.deepEqual(
      told.map((line) => line.split(' ')[0]),
      ['SPAWN', 'DATA', 'EOF', 'SIGNAL'],
    )
    again.send(FromAgent.STARTED, 1, u32(7))
    assert.equal(await process.started, 7)
  })

  it('fails where the link was lost while it was under way, once there is one again', async (t) => {
    const { link, join, lose, agent } = await opened(t)
    const process = link.spawn(COMMAND)
    await agent.next()
    await lose(agent)
    const again = await join()
    again.hello(true)
    await assert.rejects(process.started, { message: 'The link to the container was lost.' })
  })

  it('fails with what the link was closed with', async (t) => {
    const { link, lose, agent } = await opened(t)
    const first = link.spawn(COMMAND)
    await lose(agent)
    const second = link.spawn(COMMAND)
    link.close('It was destroyed.')
    for (const { started, exit } of [first, second, link.spawn(COMMAND)]) {
      await assert.rejects(started, { message: 'It was destroyed.' })
      await assert.rejects(exit, { message: 'It was destroyed.' })
    }
  })
})

describe('signal and ask', () => {
  it('send a signal to the app', async (t) => {
    const { link, agent } = await opened(t)
    link.signal(15)
    assert.equal(await agent.next(), 'SIGNAL 0 0f')
  })

  it('keep signals in order until there is a link again', async (t) => {
    const { link, join, lose, agent } = await opened(t)
    await lose(agent)
    link.signal(15)
    link.signal(9)
    const again = await join()
    again.hello(true)
    assert.deepEqual([await again.next(), await again.next()], ['SIGNAL 0 0f', 'SIGNAL 0 09'])
  })

  it('read a fact of the kernel', async (t) => {
    const { link, agent } = await opened(t)
    const asked = link.ask(Fact.STATUS)
    const { id } = await agent.frame()
    agent.send(FromAgent.FACT, id, Buffer.from('\u0001Name:\tapp\n'))
    assert.equal(await asked, 'Name:\tapp\n')
  })

  it('read nothing where there is no link, or it is lost', async (t) => {
    const { link, lose, agent } = await opened(t)
    const asked = link.ask(Fact.LISTENING)
    await agent.next()
    await lose(agent)
    assert.equal(await asked, '')
    assert.equal(await link.ask(Fact.LISTENING), '')
  })

  it('read nothing where the agent does not answer in time', async (t) => {
    const { link, agent } = await opened(t)
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const asked = link.ask(Fact.LISTENING)
    t.mock.timers.tick(1_000)
    t.mock.timers.reset()
    assert.equal(await asked, '')
    const { id } = await agent.frame()
    agent.send(FromAgent.FACT, id, Buffer.from('\u0001late'))
    link.signal(1)
    assert.equal(await agent.next(), 'SIGNAL 0 01')
  })
})

describe('dial', () => {
  it('opens a connection that carries bytes both ways, and ends', async (t) => {
    const { link, agent } = await opened(t)
    const dialled = link.dial(8080)
    assert.equal(await agent.next(), 'DIAL 1 901f')
    agent.send(FromAgent.OPENED, 1)
    const connection = await dialled
    connection.write('ping')
    assert.equal(await agent.next(), 'DATA 1 70696e67')
    agent.data(1, 'pong')
    assert.equal(String((await once(connection, 'data'))[0]), 'pong')
    connection.end()
    assert.equal(await agent.next(), 'EOF 1')
    agent.send(FromAgent.EOF, 1, Uint8Array.of(0))
    assert.equal(await agent.next(), 'CLOSE 1')
  })

  it('is refused where nobody listens', async (t) => {
    const { link, agent } = await opened(t)
    const dialled = link.dial(1)
    const { id } = await agent.frame()
    agent.send(FromAgent.FAILED, id, failed(111, 8))
    await assert.rejects(dialled, { name: 'DialError', refused: true })
  })

  it('fails with another errno, and that is no refusal', async (t) => {
    const { link, agent } = await opened(t)
    const dialled = link.dial(1)
    const { id } = await agent.frame()
    agent.send(FromAgent.FAILED, id, failed(24, 9))
    await assert.rejects(dialled, { refused: false, message: 'The connection was not taken (errno 24).' })
  })

  it('is given up where the agent does not answer, and told so; an answer that comes late is ignored', async (t) => {
    const { link, agent } = await opened(t)
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const dialled = link.dial(80)
    const { id } = await agent.frame()
    t.mock.timers.tick(10_000)
    t.mock.timers.reset()
    await assert.rejects(dialled, { message: 'The container did not take the connection in time.' })
    assert.equal(await agent.next(), `CLOSE ${id}`)
    agent.send(FromAgent.OPENED, id)
    agent.data(id, 'late')
    link.signal(1)
    assert.equal(await agent.next(), 'SIGNAL 0 01')
  })

  it('waits for the link where it is down', async (t) => {
    const { link, join, lose, agent } = await opened(t)
    await lose(agent)
    const dialled = link.dial(80)
    const again = await join()
    again.hello()
    await again.open()
    await dialled
  })

  it('fails where the link is lost while it is under way', async (t) => {
    const { link, lose, agent } = await opened(t)
    const dialled = link.dial(80)
    await agent.frame()
    const refused = assert.rejects(dialled, { message: 'The link to the container was lost.', refused: false })
    await lose(agent)
    await refused
  })

  it('gives each connection an id of its own', async (t) => {
    const { link, agent } = await opened(t)
    const dialled = [link.dial(80), link.dial(80)]
    const ids = [await agent.open(), await agent.open()]
    const [first, second] = await Promise.all(dialled)
    agent.data(ids[1]!, 'second')
    agent.data(ids[0]!, 'first')
    const read = await Promise.all([once(first!, 'data'), once(second!, 'data')])
    assert.deepEqual(read.map(String), ['first', 'second'])
  })
})

describe('an open connection', () => {
  async function connected(t: TestContext) {
    const all = await opened(t)
    const dialled = all.link.dial(80)
    const id = await all.agent.open()
    return { ...all, id, connection: await dialled }
  }

  it('is cut into frames that the wire takes, as far as the window reaches', async (t) => {
    const { agent, connection } = await connected(t)
    connection.write(Buffer.alloc(WINDOW_BYTES + 1))
    const lengths: number[] = []
    for (let sum = 0; sum < WINDOW_BYTES; sum += lengths.at(-1)!) lengths.push((await agent.frame()).payload.length)
    assert.ok(lengths.every((length) => length <= MAX_PAYLOAD_BYTES))
    agent.send(FromAgent.CREDIT, 1, u32(1))
    assert.equal((await agent.frame()).payload.length, 1)
  })

  it('has what one turn sends in as few frames as hold it, and before what is sent after it', async (t) => {
    const { agent, connection } = await connected(t)
    connection.cork()
    for (const text of ['one ', 'two ', 'x'.repeat(100_000), 'three']) connection.write(text)
    connection.uncork()
    connection.end()
    const frames = [await agent.frame(), await agent.frame(), await agent.frame()]
    assert.deepEqual(
      frames.map(({ type, payload }) => `${type} ${payload.length}`),
      [`${ToAgent.DATA} ${MAX_PAYLOAD_BYTES}`, `${ToAgent.DATA} ${100_013 - MAX_PAYLOAD_BYTES}`, `${ToAgent.EOF} 0`],
    )
    assert.equal(`${frames[0]?.payload}${frames[1]?.payload}`, `one two ${'x'.repeat(100_000)}three`)
  })

  it('reads a frame of the agent’s as it comes, before it is whole', async (t) => {
    const { agent, id, connection } = await connected(t)
    const frame = encodeFrame(
      FromAgent.DATA,
      id,
      Buffer.concat([Uint8Array.of(Stream.CONNECTION), Buffer.from('half and half')]),
    )
    agent.socket.write(frame.subarray(0, HEADER_BYTES + 5))
    assert.equal(String((await once(connection, 'data'))[0]), 'half')
    agent.socket.write(frame.subarray(HEADER_BYTES + 5))
    assert.equal(String((await once(connection, 'data'))[0]), ' and half')
  })

  it('breaks where the container’s side resets it', async (t) => {
    const { agent, id, connection } = await connected(t)
    const broken = closed(connection)
    agent.send(FromAgent.FAILED, id, failed(104, 8))
    await broken
    assert.match(String(connection.errored), /errno 104/)
  })

  it('breaks with the link', async (t) => {
    const { connection, lose, agent } = await connected(t)
    const broken = closed(connection)
    await lose(agent)
    await broken
    assert.match(String(connection.errored), /The link to the container was lost/)
  })

  it('is reset at the container’s side when it is destroyed', async (t) => {
    const { agent, id, connection } = await connected(t)
    connection.destroy()
    assert.equal(await agent.next(), `CLOSE ${id}`)
  })

  it('grants what was read', async (t) => {
    const { agent, id, connection } = await connected(t)
    connection.resume()
    for (let i = 0; i < 5; i++) agent.data(id, Buffer.alloc(60_000))
    const quarter = WINDOW_BYTES / 4
    const [name, of, payload] = (await agent.next()).split(' ')
    assert.deepEqual([name, of], ['CREDIT', String(id)])
    assert.ok(Buffer.from(payload!, 'hex').readUInt32LE(1) >= quarter)
  })
})

describe('a hostile agent', () => {
  const hostile: readonly (readonly [what: string, bytes: Uint8Array])[] = [
    ['a length over the cap', Buffer.from('0100010010000000000', 'hex')],
    ['a credit without a number', encodeFrame(FromAgent.CREDIT, 1, Uint8Array.of(1))],
    ['a failure without an errno', encodeFrame(FromAgent.FAILED, 1)],
    ['a start without a pid', encodeFrame(FromAgent.STARTED, 0, Uint8Array.of(1, 2))],
  ]
  for (const [what, bytes] of hostile) {
    it(`loses its link with ${what}, and nothing else`, async (t) => {
      const { link, agent, change, changes, join } = await opened(t)
      const dialled = link.dial(80)
      void dialled.catch(() => undefined)
      void link.run(COMMAND).catch(() => undefined)
      await agent.frame()
      await agent.frame()
      const down = change()
      agent.socket.write(bytes)
      await down
      assert.deepEqual(changes, ['up', 'down'])
      await assert.rejects(dialled)
      const again = await join()
      again.hello()
      await link.up
    })
  }

  it('is not heard where it names what is not there', async (t) => {
    const { link, agent } = await opened(t)
    for (const type of [33, 34, 35, 36, 37, 38, 39, 40, 99, 0, 255]) {
      agent.send(type, 77, Buffer.from('0000000000', 'hex'))
    }
    agent.send(FromAgent.DATA, 77)
    agent.send(FromAgent.FACT, 77)
    agent.hello()
    link.signal(1)
    assert.equal(await agent.next(), 'SIGNAL 0 01')
  })

  it('that speaks before it has taken a connection, or after its end, breaks only that', async (t) => {
    const { link, agent } = await opened(t)
    const broken = assert.rejects(link.dial(80), { message: 'The connection broke.' })
    const { id } = await agent.frame()
    agent.data(id, 'early')
    agent.send(FromAgent.EOF, id, Uint8Array.of(0))
    agent.data(id, 'after the end')
    agent.send(FromAgent.OPENED, id)
    assert.equal(await agent.next(), `CLOSE ${id}`)
    await broken
    const next = link.dial(80)
    await agent.open()
    await next
  })
})
