import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, request } from 'node:http'
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net'
import { describe, it, type TestContext } from 'node:test'
import { WebSocket } from 'ws'
import { Latch } from '../../../runtime/base/latch.ts'
import { AgentLink } from '../../../runtime/link/agent.ts'
import { LoopbackServer } from '../../../runtime/link/server.ts'
import { WorkerLink, type WorkerLinkEvents } from '../../../runtime/link/worker.ts'
import type { SessionCalls } from '../../../runtime/protocol/relay.ts'
import type { Call, Outcome } from '../../../runtime/protocol/worker.ts'
import { DiallingAgent } from './fake-agent.ts'
import { ByteReader, closed, listener, socketPair } from './sockets.ts'

const TOKEN = 'token'
const OBJECT = 'Quotes/abc'
const LOST = { message: 'Network connection lost.', retryable: true }

type Answer = { value: unknown } | { refusal: { message: string } }

/** The relay's end with a session that the test plays, and isolates that are plain HTTP clients. */
async function setUp(t: TestContext) {
  const log: string[] = []
  const waiting: { line: string; resolve: () => void }[] = []
  const tell = (line: string): void => {
    log.push(line)
    for (const waiter of waiting.filter((w) => w.line === line)) waiter.resolve()
  }
  /** Resolves when the session was told this. */
  const told = (line: string): Promise<void> =>
    log.includes(line) ? Promise.resolve() : new Promise((resolve) => waiting.push({ line, resolve }))
  let attached = 0
  const session = {
    attach: async (args: Parameters<SessionCalls['attach']>[0]) => {
      tell(`attach ${args.className} ${args.id} ${args.name}`)
      attached += 1
      return { instance: `i${attached}`, running: false, life: 0, images: ['worker'], object: OBJECT }
    },
    call: async ({ instance, call }: { instance: string; call: Call }): Promise<Answer> => {
      tell(`call ${instance} ${call.method}`)
      return { value: null }
    },
    end: async ({ life }: { instance: string; life: number }): Promise<Outcome> => ({ life, exitCode: 0 }),
  }
  const workers = new WorkerLink({
    // The rest is not for this end.
    ask: {
      attach: (args: Parameters<SessionCalls['attach']>[0]) => session.attach(args),
      call: (args: Parameters<SessionCalls['call']>[0]) => session.call(args),
      end: (args: Parameters<SessionCalls['end']>[0]) => session.end(args),
    } as unknown as WorkerLinkEvents['ask'],
    onNote: (instance, note) => tell(`note ${instance} ${note.note}`),
    onDetached: (instance) => tell(`detached ${instance}`),
    onOpen: (object, open) => tell(`open ${object} ${open}`),
    onExec: async () => undefined,
    onExecAhead: (instance, { path }) => tell(`ahead ${instance.id} ${path}`),
    onRefused: (object, port) => tell(`refused ${object} ${port}`),
  })
  const server = new LoopbackServer([{ header: 'x-moorage-token', token: TOKEN, anyOrigin: true }], {
    request: (incoming, outgoing) => workers.request(incoming, outgoing),
    upgrade: (incoming, socket, head) => workers.upgrade(incoming, socket, head),
    connect: (incoming, socket, head) => void workers.connect(incoming, socket, head),
  })
  const port = await server.listen()
  t.after(() => {
    workers.close()
    server.close()
  })
  const attach = async (headers: Record<string, string> = {}) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/attach`, {
      headers: { 'x-moorage-token': TOKEN, 'x-moorage-class': 'Quotes', 'x-moorage-id': 'abc', ...headers },
    })
    t.after(() => socket.terminate())
    const upgraded = once(socket, 'upgrade') as Promise<[IncomingMessage]>
    await once(socket, 'open')
    const [answer] = await upgraded
    const told = JSON.parse(decodeURIComponent(String(answer.headers['x-moorage-attached']))) as { instance: string }
    return { socket, told, instance: told.instance }
  }
  const ask = async (path: string, headers: Record<string, string | number>, body = '', method = 'POST') => {
    const outgoing = request({
      host: '127.0.0.1',
      port,
      path,
      method,
      agent: false,
      headers: { 'x-moorage-token': TOKEN, 'content-length': body.length, ...headers },
    }).end(body)
    const [answer] = (await once(outgoing, 'response')) as [IncomingMessage]
    const text = Buffer.concat(await answer.toArray()).toString()
    const error = answer.headers['x-moorage-error']
    return {
      status: answer.statusCode,
      running: answer.headers['x-moorage-running'],
      text,
      ...(error === undefined ? {} : { error: JSON.parse(decodeURIComponent(String(error))) as unknown }),
    }
  }
  const call = (instance: string, seq: number, body: object) =>
    ask('/call', { 'x-moorage-instance': instance, 'x-moorage-seq': seq }, JSON.stringify(body))
  const fetchPort = (instance: string, container: number, seq = 0) =>
    ask(
      `/port/${container}`,
      { 'x-moorage-instance': instance, 'x-moorage-seq': seq, 'x-moorage-url': `http://quotes:${container}/path?q` },
      '',
      'GET',
    )
  /** Leads the object to a container whose ports are this machine's. */
  const bind = async (): Promise<AgentLink> => {
    const [near, far] = await socketPair(t)
    new DiallingAgent(far)
    const link = new AgentLink(() => undefined)
    t.after(() => link.close())
    link.adopt(near, Buffer.alloc(0))
    workers.bind(OBJECT, link)
    return link
  }
  return { workers, session, port, log, told, attach, ask, call, fetchPort, bind }
}

async function serve(t: TestContext, handler: RequestListener): Promise<number> {
  const server = createServer(handler)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  return (server.address() as AddressInfo).port
}

describe('attach', () => {
  it('asks the session first, and carries what it knows in the 101', async (t) => {
    const { attach, log } = await setUp(t)
    const { told } = await attach({ 'x-moorage-name': encodeURIComponent('änna') })
    assert.deepEqual(told, { instance: 'i1', running: false, life: 0, images: ['worker'] })
    assert.deepEqual(log, ['attach Quotes abc änna'])
  })

  it('carries notes, and passes over what is none', async (t) => {
    const { attach, told, log } = await setUp(t)
    const { socket } = await attach()
    socket.send('nonsense')
    socket.send('{"note":"busy"}')
    await told('note i1 busy')
    assert.equal(log.length, 2)
  })

  it('ends with its socket', async (t) => {
    const { attach, told, call } = await setUp(t)
    const { socket, instance } = await attach()
    socket.terminate()
    await told('detached i1')
    const { status, error } = await call(instance, 1, { method: 'inspect' })
    assert.deepEqual([status, error], [410, LOST])
  })

  it('is told as ended where the isolate went away while the session was asked', async (t) => {
    const { session, port, told } = await setUp(t)
    const asked = new Latch()
    const answer = new Latch()
    const { attach } = session
    session.attach = async (args) => {
      asked.resolve()
      await answer.promise
      return attach(args)
    }
    const socket = new WebSocket(`ws://127.0.0.1:${port}/attach`, { headers: { 'x-moorage-token': TOKEN } })
    socket.on('error', () => undefined)
    await asked.promise
    socket.terminate()
    // The relay’s end is closed when this request, which comes after, is answered.
    const probe = connect({ port, host: '127.0.0.1' })
    probe.write('GET / HTTP/1.1\r\n\r\n')
    await once(probe, 'data')
    probe.destroy()
    answer.resolve()
    await told('detached i1')
  })

  it('ends when the runtime evicts the instance, and its long polls with it', async (t) => {
    const { attach, workers, session, ask, told } = await setUp(t)
    const { socket, instance } = await attach()
    const polling = new Latch()
    session.end = () => {
      polling.resolve()
      return new Promise(() => undefined)
    }
    const poll = ask('/end', { 'x-moorage-instance': instance, 'x-moorage-life': 1 }, '', 'GET')
    await polling.promise
    const over = once(socket, 'close')
    workers.evict(instance)
    assert.equal((await over)[0], 1000)
    assert.equal((await poll).status, 410)
    await told('detached i1')
  })
})

describe('call', () => {
  it('is answered with its value, and whether the container runs', async (t) => {
    const { attach, call, session } = await setUp(t)
    const { instance } = await attach()
    session.call = async () => ({ value: { labels: {} } })
    assert.deepEqual(await call(instance, 1, { method: 'inspect' }), {
      status: 200,
      running: '0',
      text: '{"value":{"labels":{}}}',
    })
  })

  it('is answered with the refusal of the session', async (t) => {
    const { attach, call, session } = await setUp(t)
    const { instance } = await attach()
    session.call = async () => ({ refusal: { message: 'no' } })
    const { status, text } = await call(instance, 1, { method: 'inspect' })
    assert.deepEqual([status, text], [400, '{"message":"no"}'])
  })

  it('is refused where it is no call, and those behind it go on', async (t) => {
    const { attach, call, log } = await setUp(t)
    const { instance } = await attach()
    const [bad, good] = await Promise.all([
      call(instance, 1, { method: 'dance' }),
      call(instance, 2, { method: 'inspect' }),
    ])
    assert.deepEqual([bad.status, good.status], [400, 200])
    assert.match(bad.text, /did not understand/)
    assert.deepEqual(log.slice(1), ['call i1 inspect'])
  })

  it('is taken up in the order of the numbers, although the one before is not answered', async (t) => {
    const { attach, call, log, session } = await setUp(t)
    const { instance } = await attach()
    const started = new Latch<Answer>()
    const original = session.call
    session.call = async (args) => {
      const answer = await original(args)
      return args.call.method === 'start' ? started.promise : answer
    }
    const third = call(instance, 3, { method: 'signal', signal: 9 })
    const second = call(instance, 2, { method: 'signal', signal: 15 })
    const first = call(instance, 1, { method: 'start', life: 1, options: {} })
    await Promise.all([second, third])
    assert.deepEqual(log.slice(1), ['call i1 start', 'call i1 signal', 'call i1 signal'])
    started.resolve({ value: null })
    await first
  })

  it('breaks where the session is gone', async (t) => {
    const { attach, call, session } = await setUp(t)
    const { instance } = await attach()
    session.call = () => Promise.reject(new Error('The session has ended.'))
    await assert.rejects(call(instance, 1, { method: 'inspect' }))
  })

  it('longer than any is not read', async (t) => {
    const { attach, ask, log } = await setUp(t)
    const { instance } = await attach()
    await assert.rejects(ask('/call', { 'x-moorage-instance': instance, 'x-moorage-seq': 1 }, 'x'.repeat(4_200_000)))
    assert.equal(log.length, 1)
  })
})

describe('the wait for an end', () => {
  it('is answered with the outcome', async (t) => {
    const { attach, ask } = await setUp(t)
    const { instance } = await attach()
    const { text } = await ask('/end', { 'x-moorage-instance': instance, 'x-moorage-life': 3 }, '', 'GET')
    assert.equal(text, '{"life":3,"exitCode":0}')
  })
})

describe('a request into the container', () => {
  it('goes there as it was meant, and its answer comes back', async (t) => {
    const { attach, fetchPort, bind } = await setUp(t)
    const { instance } = await attach()
    await bind()
    const container = await serve(t, (incoming, outgoing) => outgoing.end(`${incoming.headers.host} ${incoming.url}`))
    const { status, running, text } = await fetchPort(instance, container)
    assert.deepEqual([status, running, text], [200, '1', `quotes:${container} /path?q`])
  })

  it('waits for the start that was asked for before it', async (t) => {
    const { attach, call, fetchPort, bind, session } = await setUp(t)
    const { instance } = await attach()
    const container = await serve(t, (_, outgoing) => outgoing.end('hello'))
    const taken = new Latch()
    const started = new Latch<Answer>()
    session.call = () => {
      taken.resolve()
      return started.promise
    }
    const fetched = fetchPort(instance, container, 1)
    const starting = call(instance, 1, { method: 'start', life: 1, options: {} })
    await taken.promise
    await bind()
    started.resolve({ value: null })
    assert.equal((await fetched).text, 'hello')
    assert.equal((await starting).running, '1')
  })

  it('is refused where none runs', async (t) => {
    const { attach, fetchPort } = await setUp(t)
    const { instance } = await attach()
    assert.deepEqual(await fetchPort(instance, 80), {
      status: 502,
      running: '0',
      text: '',
      error: { message: 'The container is not running, consider calling start()' },
    })
  })

  it('is refused in the platform’s words where nobody listens, and the session is told', async (t) => {
    const { attach, fetchPort, bind, told } = await setUp(t)
    const { instance } = await attach()
    await bind()
    const unused = await listener(t)
    unused.close()
    const { status, running, error } = await fetchPort(instance, unused.port)
    assert.deepEqual([status, running], [502, '1'])
    assert.deepEqual(error, { message: `The Container is not listening to port ${unused.port}`, retryable: true })
    await told(`refused ${OBJECT} ${unused.port}`)
  })

  it('breaks with the container', async (t) => {
    const { attach, fetchPort, bind } = await setUp(t)
    const { instance } = await attach()
    const link = await bind()
    const container = await serve(t, () => link.close())
    assert.deepEqual((await fetchPort(instance, container)).error, LOST)
  })

  it('counts as open while it lasts', async (t) => {
    const { attach, fetchPort, bind, told } = await setUp(t)
    const { instance } = await attach()
    await bind()
    const answer = new Latch()
    const container = await serve(t, (_, outgoing) => void answer.promise.then(() => outgoing.end()))
    const fetched = fetchPort(instance, container)
    await told(`open ${OBJECT} 1`)
    answer.resolve()
    await fetched
    await told(`open ${OBJECT} 0`)
  })

  it('of an instance that is not known, and to a path that there is not, is refused', async (t) => {
    const { attach, ask, fetchPort } = await setUp(t)
    assert.deepEqual((await fetchPort('nobody', 80)).error, LOST)
    const { instance } = await attach()
    assert.equal((await ask('/nowhere', { 'x-moorage-instance': instance })).status, 404)
  })

  it('may be an upgrade', async (t) => {
    const { attach, bind, port } = await setUp(t)
    const { instance } = await attach()
    await bind()
    const server = createServer()
    server.on('upgrade', (_, socket) => {
      socket.on('error', () => undefined)
      socket.write('HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\nhello')
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    t.after(() => server.close())
    const container = (server.address() as AddressInfo).port
    const socket = connect({ port, host: '127.0.0.1' })
    t.after(() => socket.destroy())
    const headers = [
      `x-moorage-token: ${TOKEN}`,
      `x-moorage-instance: ${instance}`,
      'x-moorage-url: http://quotes/',
      'Connection: Upgrade',
    ]
    socket.write(
      `GET /port/${container} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${headers.join('\r\n')}\r\nUpgrade: x\r\n\r\n`,
    )
    const expected = 'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\nhello'
    assert.equal(String(await new ByteReader(socket).take(expected.length)), expected)
  })
})

describe('a raw connection', () => {
  async function tunnelled(t: TestContext) {
    const all = await setUp(t)
    const { instance } = await all.attach()
    await all.bind()
    const tunnel = (container: number, early = ''): Socket => {
      const socket = connect({ port: all.port, host: '127.0.0.1', allowHalfOpen: true })
      socket.on('error', () => undefined)
      t.after(() => socket.destroy())
      socket.write(
        `CONNECT ${instance}:${container} HTTP/1.1\r\nHost: x\r\nx-moorage-token: ${TOKEN}\r\nx-moorage-tunnel: t\r\n\r\n${early}`,
      )
      return socket
    }
    /** Whether the connection was made, and a promise of its end. */
    const watch = async () => {
      const headers = { 'x-moorage-token': TOKEN, 'x-moorage-instance': instance, 'x-moorage-tunnel': 't' }
      const outgoing = request({ host: '127.0.0.1', port: all.port, path: '/tunnel', headers, agent: false }).end()
      const [answer] = (await once(outgoing, 'response')) as [IncomingMessage]
      return { status: answer.statusCode, over: once(answer.resume(), 'end') }
    }
    return { ...all, tunnel, watch }
  }

  it('carries bytes both ways at once, those that came with it too, half-closes included', async (t) => {
    const { tunnel, watch, told } = await tunnelled(t)
    const server = createTcpServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    t.after(() => server.close())
    const socket = tunnel((server.address() as AddressInfo).port, 'early ')
    const watched = await watch()
    assert.equal(watched.status, 200)
    await told(`open ${OBJECT} 1`)
    socket.end('late')
    assert.equal(String(Buffer.concat(await socket.toArray())), 'early late')
    await watched.over
    await told(`open ${OBJECT} 0`)
  })

  it('is reset where nobody listens', async (t) => {
    const { tunnel, watch, told } = await tunnelled(t)
    const unused = await listener(t)
    unused.close()
    const socket = tunnel(unused.port)
    assert.equal((await watch()).status, 502)
    await closed(socket)
    await told(`refused ${OBJECT} ${unused.port}`)
  })
})
