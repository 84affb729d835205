import assert from 'node:assert/strict'
import { once } from 'node:events'
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  request,
  type Server,
  type ServerResponse,
} from 'node:http'
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net'
import { type Duplex, duplexPair, PassThrough } from 'node:stream'
import { describe, it, type TestContext } from 'node:test'
import { AgentLink, DialError } from '../../../runtime/link/agent.ts'
import { join, PortClient } from '../../../runtime/link/port-client.ts'
import { DiallingAgent } from './fake-agent.ts'
import { ByteReader, closed, listener, socketPair } from './sockets.ts'

async function listen(t: TestContext, server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  return (server.address() as AddressInfo).port
}

/** A client whose container's ports are this machine's, and a front that hands every request on to `port`. */
async function setUp(t: TestContext) {
  const [near, far] = await socketPair(t)
  const agent = new DiallingAgent(far)
  const link = new AgentLink(() => undefined)
  link.adopt(near, Buffer.alloc(0))
  t.after(() => link.close())
  const client = new PortClient(link)
  t.after(() => client.close())
  const failures: Error[] = []
  const front = createServer()
  const port = await listen(t, front)
  const target = (incoming: IncomingMessage): URL => new URL(`http://container${incoming.url}`)
  const to = (container: number): void => {
    front.removeAllListeners('request')
    front.on('request', (incoming, outgoing) => {
      outgoing.sendDate = false
      client.forward(incoming, outgoing, container, target(incoming), ['x-moorage-running', '1'], (error) => {
        failures.push(error)
        outgoing.writeHead(502).end()
      })
    })
    front.removeAllListeners('upgrade')
    front.on('upgrade', (incoming, socket, head) => {
      socket.on('error', () => undefined)
      client
        .upgrade(incoming, socket, head, container, target(incoming))
        .catch(() => socket.end('HTTP/1.1 502 X\r\n\r\n'))
    })
  }
  /** Serves as the container does, and leads the front to it. */
  const serve = async (handler: RequestListener): Promise<Server> => {
    const server = createServer(handler)
    to(await listen(t, server))
    return server
  }
  const ask = async (
    options: { method?: string; path?: string; headers?: Record<string, string | string[]>; body?: string } = {},
  ) => {
    const outgoing = request({ host: '127.0.0.1', port, agent: false, ...options })
    outgoing.end(options.body)
    const [answer] = (await once(outgoing, 'response')) as [IncomingMessage]
    answer.setEncoding('utf8')
    let text = ''
    for await (const chunk of answer) text += chunk
    return {
      status: answer.statusCode,
      message: answer.statusMessage,
      headers: answer.headers,
      raw: answer.rawHeaders,
      text,
    }
  }
  return { agent, link, client, port, to, serve, ask, failures }
}

async function textOf(incoming: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of incoming.setEncoding('utf8')) text += chunk
  return text
}

/** A container that sends its request back as text. */
const echo: RequestListener = (incoming, outgoing) => {
  void textOf(incoming).then((body) => {
    const headers: string[] = []
    for (let i = 0; i < incoming.rawHeaders.length; i += 2)
      headers.push(`${incoming.rawHeaders[i]}: ${incoming.rawHeaders[i + 1]}`)
    outgoing.end([`${incoming.method} ${incoming.url}`, ...headers, '', body].join('\n'))
  })
}

describe('a request', () => {
  it('comes as it was meant: method, path, Host of the URL, its headers and no other', async (t) => {
    const { serve, ask } = await setUp(t)
    await serve(echo)
    const { text } = await ask({ path: '/a/b?c=d', headers: { 'X-A': ['1', '2'], 'x-moorage-token': 'secret' } })
    assert.equal(text, 'GET /a/b?c=d\nHost: container\nX-A: 1\nX-A: 2\n\n')
  })

  it('has its body, with its length or in chunks', async (t) => {
    const { serve, ask } = await setUp(t)
    await serve(echo)
    const long = await ask({ method: 'POST', headers: { 'content-length': '5' }, body: 'hello' })
    assert.equal(long.text, 'POST /\nHost: container\ncontent-length: 5\n\nhello')
    const chunked = await ask({ method: 'PUT', headers: { 'transfer-encoding': 'chunked' }, body: 'hello' })
    assert.equal(chunked.text, 'PUT /\nHost: container\ntransfer-encoding: chunked\n\nhello')
  })

  it('without a body has none, whatever the method', async (t) => {
    const { serve, ask } = await setUp(t)
    await serve(echo)
    for (const method of ['GET', 'DELETE', 'OPTIONS', 'POST']) {
      const headers: Record<string, string> = method === 'POST' ? { 'content-length': '0' } : {}
      const lines = (await ask({ method, headers })).text.split('\n')
      assert.ok(!lines.some((line) => /transfer-encoding/i.test(line)), lines.join('|'))
      assert.equal(lines.at(-1), '')
    }
  })

  it('streams: the container reads the first part before the last is sent', async (t) => {
    const { serve, port } = await setUp(t)
    await serve((incoming, outgoing) => {
      incoming.once('data', (chunk) => outgoing.write(`got ${chunk}`))
      incoming.on('end', () => outgoing.end(' end'))
    })
    const outgoing = request({
      host: '127.0.0.1',
      port,
      method: 'POST',
      headers: { 'transfer-encoding': 'chunked' },
      agent: false,
    })
    outgoing.write('one')
    const [answer] = (await once(outgoing, 'response')) as [IncomingMessage]
    assert.equal(String((await once(answer, 'data'))[0]), 'got one')
    outgoing.end('two')
    assert.equal(await textOf(answer), ' end')
  })

  it('of many megabytes goes through whole, both ways', async (t) => {
    const { serve, port } = await setUp(t)
    await serve((incoming, outgoing) => incoming.pipe(outgoing))
    const body = Buffer.alloc(8_000_000)
    for (let i = 0; i < body.length; i += 4) body.writeUInt32LE(i, i)
    const outgoing = request({
      host: '127.0.0.1',
      port,
      method: 'POST',
      headers: { 'content-length': body.length },
      agent: false,
    })
    outgoing.end(body)
    const [answer] = (await once(outgoing, 'response')) as [IncomingMessage]
    assert.ok(Buffer.concat(await answer.toArray()).equals(body))
  })
})

describe('an answer', () => {
  it('comes as the container gave it, redirects and repeated headers too', async (t) => {
    const { serve, ask } = await setUp(t)
    await serve((_, outgoing) => {
      outgoing.sendDate = false
      outgoing.writeHead(302, 'Over There', [
        'Location',
        '/x',
        'Set-Cookie',
        'a=1',
        'Set-Cookie',
        'b=2',
        'Content-Length',
        '0',
      ])
      outgoing.end()
    })
    const { status, message, raw } = await ask()
    assert.deepEqual([status, message], [302, 'Over There'])
    assert.deepEqual(
      raw.filter((_, i) => !/^(connection|keep-alive)$/i.test(raw[i - (i % 2)] ?? '')),
      ['Location', '/x', 'Set-Cookie', 'a=1', 'Set-Cookie', 'b=2', 'Content-Length', '0', 'x-moorage-running', '1'],
    )
  })

  it('to HEAD has the length and no body', async (t) => {
    const { serve, ask } = await setUp(t)
    await serve((_, outgoing) => outgoing.writeHead(200, { 'content-length': '12' }).end())
    const { status, headers, text } = await ask({ method: 'HEAD' })
    assert.deepEqual([status, headers['content-length'], text], [200, '12', ''])
  })

  for (const code of [204, 304]) {
    it(`${code} has no body`, async (t) => {
      const { serve, ask } = await setUp(t)
      await serve((_, outgoing) => outgoing.writeHead(code, { etag: 'x' }).end())
      const { status, headers, text } = await ask()
      assert.deepEqual([status, headers.etag, headers['transfer-encoding'], text], [code, 'x', undefined, ''])
    })
  }

  it('streams: headers come without a body, and each part as it is written', async (t) => {
    const { serve, port } = await setUp(t)
    let write: (text: string) => void = () => undefined
    await serve((_, outgoing) => {
      outgoing.flushHeaders()
      write = (text) => (text === '' ? outgoing.end() : outgoing.write(text))
    })
    const outgoing = request({ host: '127.0.0.1', port, agent: false }).end()
    const [answer] = (await once(outgoing, 'response')) as [IncomingMessage]
    for (const part of ['one', 'two']) {
      write(part)
      assert.equal(String((await once(answer, 'data'))[0]), part)
    }
    write('')
    await once(answer.resume(), 'end')
  })

  it('that breaks in the middle breaks', async (t) => {
    const { serve, ask } = await setUp(t)
    await serve((_, outgoing) => {
      outgoing.writeHead(200, { 'content-length': '100' })
      outgoing.write('some', () => outgoing.destroy())
    })
    await assert.rejects(ask(), { message: 'aborted' })
  })

  it('before the end of the request counts, whatever becomes of the rest', async (t) => {
    const { to, port } = await setUp(t)
    const container = await listener(t)
    to(container.port)
    const outgoing = request({
      host: '127.0.0.1',
      port,
      method: 'POST',
      headers: { 'content-length': 1_000_000 },
      agent: false,
    })
    outgoing.on('error', () => undefined)
    outgoing.write('first')
    const socket = await container.next()
    await once(socket, 'data')
    socket.end('HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno')
    const [answer] = (await once(outgoing, 'response')) as [IncomingMessage]
    assert.deepEqual([answer.statusCode, await textOf(answer)], [413, 'no'])
    outgoing.destroy()
  })
})

describe('a request that is given up', () => {
  it('breaks the one into the container', async (t) => {
    const { serve, port } = await setUp(t)
    let reached: (incoming: IncomingMessage) => void = () => undefined
    const inner = new Promise<IncomingMessage>((resolve) => {
      reached = resolve
    })
    await serve((incoming) => reached(incoming))
    const outgoing = request({ host: '127.0.0.1', port, agent: false }).end()
    outgoing.on('error', () => undefined)
    const broken = closed((await inner).socket)
    outgoing.destroy()
    await broken
  })

  it('breaks it also in the middle of an answer', async (t) => {
    const { serve, port } = await setUp(t)
    let inner: ServerResponse | undefined
    await serve((_, outgoing) => {
      inner = outgoing
      outgoing.write('first')
    })
    const outgoing = request({ host: '127.0.0.1', port, agent: false }).end()
    const [answer] = (await once(outgoing, 'response')) as [IncomingMessage]
    answer.on('error', () => undefined)
    await once(answer, 'data')
    const broken = closed(inner!)
    outgoing.destroy()
    await broken
  })
})

describe('a port that nobody listens on', () => {
  it('is told as refused', async (t) => {
    const { to, ask, failures } = await setUp(t)
    const unused = await listener(t)
    unused.close()
    to(unused.port)
    assert.equal((await ask()).status, 502)
    assert.ok(failures[0] instanceof DialError && failures[0].refused)
  })
})

describe('kept connections', () => {
  it('serve one request after the other', async (t) => {
    const { serve, ask, agent } = await setUp(t)
    await serve(echo)
    for (let i = 0; i < 5; i++) await ask()
    assert.equal(agent.connections.size, 1)
  })

  it('that the container has ended are not used again', async (t) => {
    const { serve, ask, agent, failures } = await setUp(t)
    const server = await serve(echo)
    const sockets: Socket[] = []
    server.on('connection', (socket) => sockets.push(socket))
    await ask()
    const [inner] = agent.connections
    const dropped = closed(inner!)
    sockets[0]?.end()
    await dropped
    const { status } = await ask({ method: 'POST', headers: { 'content-length': '1' }, body: 'x' })
    assert.deepEqual([status, failures], [200, []])
  })

  /** A container that answers the first request of a connection and breaks it at the second. */
  async function breaking(t: TestContext) {
    const all = await setUp(t)
    const seen: string[] = []
    const server = createTcpServer((socket) => {
      let served = 0
      socket.on('error', () => undefined)
      socket.on('data', (chunk) => {
        seen.push(String(chunk).split(' ')[0] ?? '')
        served += 1
        if (served === 1) socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok')
        else socket.resetAndDestroy()
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    t.after(() => server.close())
    all.to((server.address() as AddressInfo).port)
    return { ...all, seen, server }
  }

  it('that turn out to be dead let a request without a body go once more, on a new one', async (t) => {
    const { ask, seen, failures } = await breaking(t)
    // Two kept connections, both dead: the second try must not take the other.
    await Promise.all([ask(), ask()])
    assert.equal((await ask()).text, 'ok')
    assert.deepEqual([seen, failures], [['GET', 'GET', 'GET', 'GET'], []])
  })

  it('that turn out to be dead fail a request that may not be sent twice', async (t) => {
    const { ask, seen, failures } = await breaking(t)
    await ask()
    assert.equal((await ask({ method: 'POST', headers: { 'content-length': '1' }, body: 'x' })).status, 502)
    assert.deepEqual([seen, failures.length], [['GET', 'POST'], 1])
  })

  it('that are lost with their server are told as lost, not as refused to the second try', async (t) => {
    const { ask, failures, server } = await breaking(t)
    await ask()
    server.close()
    assert.equal((await ask()).status, 502)
    assert.equal(failures[0] instanceof DialError, false, String(failures[0]))
  })

  it('break with the link, and the requests on them', async (t) => {
    const { serve, ask, link } = await setUp(t)
    await serve(() => link.close())
    assert.equal((await ask()).status, 502)
  })

  it('are closed with the client', async (t) => {
    const { serve, ask, agent, client } = await setUp(t)
    await serve(echo)
    await ask()
    const [inner] = agent.connections
    client.close()
    await closed(inner!)
  })
})

describe('an upgrade', () => {
  async function upgraded(t: TestContext, early = '') {
    const all = await setUp(t)
    let head = ''
    const server = createServer()
    server.on('upgrade', (incoming, socket: Duplex, first: Buffer) => {
      socket.on('error', () => undefined)
      socket.unshift(first)
      for (let i = 0; i < incoming.rawHeaders.length; i += 2)
        head += `${incoming.rawHeaders[i]}: ${incoming.rawHeaders[i + 1]}\n`
      socket.write('HTTP/1.1 101 Switching Protocols\r\nupgrade: echo\r\nx-mine: yes\r\n\r\n')
      socket.pipe(socket)
    })
    all.to(await listen(t, server))
    const socket = connect({ port: all.port, host: '127.0.0.1', allowHalfOpen: true })
    t.after(() => socket.destroy())
    const reader = new ByteReader(socket)
    socket.write(`GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\nX-A: 1\r\n\r\n${early}`)
    const answer = 'HTTP/1.1 101 Switching Protocols\r\nupgrade: echo\r\nx-mine: yes\r\n\r\n'
    assert.equal(String(await reader.take(answer.length)), answer)
    return { ...all, socket, reader, head: () => head }
  }

  it('goes to the container with its headers, and the 101 comes back as it is', async (t) => {
    const { head, socket, reader } = await upgraded(t)
    assert.equal(head(), 'Host: container\nUpgrade: echo\nX-A: 1\nConnection: Upgrade\n')
    socket.write('ping')
    assert.equal(String(await reader.take(4)), 'ping')
  })

  it('loses no byte that came with the request', async (t) => {
    const { reader } = await upgraded(t, 'early')
    assert.equal(String(await reader.take(5)), 'early')
  })

  it('ends in order: what was sent before arrives', async (t) => {
    const { socket, reader } = await upgraded(t)
    socket.end('bye')
    assert.equal(String(await reader.take(3)), 'bye')
    await closed(socket)
  })

  it('breaks with the container', async (t) => {
    const { socket, link } = await upgraded(t)
    link.close()
    await once(socket, 'end')
  })

  it('is refused where nobody listens', async (t) => {
    const { to, port } = await setUp(t)
    const unused = await listener(t)
    unused.close()
    to(unused.port)
    const socket = connect({ port, host: '127.0.0.1' })
    t.after(() => socket.destroy())
    socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n')
    assert.match(String((await once(socket, 'data'))[0]), /^HTTP\/1\.1 502 /)
  })
})

describe('two joined streams', () => {
  /** a and b are joined; what is written into `left` comes out of `right`, and the other way round. */
  async function joined(t: TestContext): Promise<{ left: Socket; right: Socket; b: Socket }> {
    const [left, a] = await socketPair(t)
    const [right, b] = await socketPair(t)
    left.allowHalfOpen = true
    right.allowHalfOpen = true
    join(a, b)
    return { left, right, b }
  }

  it('carry both ways, and a half-close leaves the other way open', async (t) => {
    const { left, right } = await joined(t)
    left.end('request')
    assert.equal(String(Buffer.concat(await right.toArray())), 'request')
    right.end('answer')
    assert.equal(String(Buffer.concat(await left.toArray())), 'answer')
  })

  it('deliver what is still under way when one side has closed in order', async () => {
    const [left, a] = duplexPair()
    const [right, b] = duplexPair()
    join(a, b)
    right.end()
    left.resume().end('the last words')
    await closed(a)
    assert.equal(String(Buffer.concat(await right.toArray())), 'the last words')
  })

  it('break together', async (t) => {
    const { left, b } = await joined(t)
    left.resetAndDestroy()
    await closed(b)
  })

  it('break together also after one direction has ended', async () => {
    const [left, a] = duplexPair()
    const [right, b] = duplexPair()
    join(a, b)
    left.end()
    await once(right.resume(), 'end')
    a.destroy()
    await closed(b)
  })

  it('break at once where one is broken already', async (t) => {
    const [, a] = await socketPair(t)
    a.destroy()
    await closed(a)
    const b = new PassThrough()
    join(a, b)
    assert.equal(b.destroyed, true)
  })
})
