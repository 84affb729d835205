/** What dockerode's modem would do of itself, and must not. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { createServer } from 'node:net'
import process from 'node:process'
import { Readable } from 'node:stream'
import { afterEach, describe, it } from 'node:test'
import { Modem } from '../../../runtime/engine/modem.ts'
import { Transport } from '../../../runtime/engine/transport.ts'
import { standIn } from './stand-in.ts'

const say = (path: string) => ({ method: 'GET', path, doing: 'answer' }) as const

describe('the environment', () => {
  const { DOCKER_HOST, DOCKER_CERT_PATH } = process.env
  afterEach(() => {
    for (const [name, value] of Object.entries({ DOCKER_HOST, DOCKER_CERT_PATH })) {
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    }
  })

  for (const host of ['tcp://127.0.0.1:1', 'ssh://nobody@127.0.0.1:1', 'unix:///nowhere', 'not : an address', '']) {
    it(`names no other engine than the one given: DOCKER_HOST=${host}`, async () => {
      await using engine = await standIn((request, response) => response.end(JSON.stringify(request.url)))
      Object.assign(process.env, { DOCKER_HOST: host, DOCKER_CERT_PATH: '/nowhere' })
      const transport = new Transport(engine.address)
      assert.equal(process.env.DOCKER_HOST, host)
      assert.equal(await transport.json({ ...say('/x'), query: { a: true, b: undefined } }), '/x?a=1')
      assert.equal(await transport.json(say('/x')), '/x')
      transport.close()
    })
  }

  it('does not change the way to a host', async () => {
    const server = createServer((socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}'))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as { port: number }
    process.env.DOCKER_HOST = 'tcp://127.0.0.1:1/prefix'
    const transport = new Transport({ protocol: 'http', host: '127.0.0.1', port })
    assert.deepEqual(await transport.json(say('/x')), {})
    transport.close()
    server.close()
  })
})

describe('a redirect', () => {
  for (const location of ['http://127.0.0.1:1/', '/elsewhere', 'mailto:nobody']) {
    it(`to ${location} is an answer, and is not followed`, async () => {
      const paths: (string | undefined)[] = []
      await using engine = await standIn((request, response) => {
        paths.push(request.url)
        response.writeHead(307, { Location: location }).end('moved')
      })
      const modem = new Modem(engine.address, 'ssh')
      const answer = (await modem.dial({ method: 'GET', path: '/x', headers: {} })) as IncomingMessage
      assert.equal(answer.statusCode, 307)
      assert.equal(Buffer.concat(await Array.fromAsync(answer)).toString(), 'moved')
      assert.deepEqual(paths, ['/x'])
      modem.close()
    })
  }
})

describe('what is sent', () => {
  it('is the value of a call as JSON, also an empty one, or nothing', async () => {
    await using engine = await standIn((request, response) => {
      const {
        'content-type': type = '',
        'content-length': length = '',
        'transfer-encoding': coding = '',
      } = request.headers
      let body = ''
      request.on('data', (bytes) => {
        body += bytes
      })
      request.on('end', () => response.end(JSON.stringify([type, length, coding, body].join('|'))))
    })
    const transport = new Transport(engine.address)
    const post = { method: 'POST', path: '/x', doing: 'take it' } as const
    assert.equal(await transport.json({ ...post, json: { a: 'ä' } }), 'application/json|10||{"a":"ä"}')
    assert.equal(await transport.json({ ...post, json: {} }), 'application/json|2||{}')
    assert.equal(await transport.json(post), '|0||')
    assert.equal(await transport.json({ ...post, stream: Buffer.from('tar') }), 'application/x-tar|3||tar')
    const headers = { 'Content-Type': 'application/x-other' }
    assert.equal(
      await transport.json({ ...post, stream: Readable.from(['tar']), headers }),
      'application/x-other||chunked|tar',
    )
    transport.close()
  })

  it('of an upgrade is its head and not a byte more, which would go to the container', async () => {
    await using engine = await standIn(
      () => {},
      (request, socket) => {
        assert.equal(request.headers['transfer-encoding'], undefined)
        socket.write('HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n')
        socket.pipe(socket)
      },
    )
    const transport = new Transport(engine.address)
    const socket = await transport.upgrade({ method: 'POST', path: '/attach', doing: 'attach' })
    socket.write('first')
    assert.equal(String((await once(socket, 'data'))[0]), 'first')
    socket.destroy()
    transport.close()
  })
})

describe('a body', () => {
  it('that fails before the modem listens to it rejects the call', async () => {
    await using engine = await standIn((request) => request.resume())
    const transport = new Transport(engine.address)
    const stream = new Readable({ read: () => {} })
    // In a turn of its own, where the failure of a stream comes before all promises.
    const call = await new Promise<{ result: Promise<unknown> }>((resolve) =>
      setImmediate(() => {
        const result = transport.json({ method: 'PUT', path: '/x', stream, doing: 'take it' })
        result.catch(() => {})
        stream.destroy(new Error('the file is gone'))
        resolve({ result })
      }),
    )
    await assert.rejects(call.result, /the file is gone/)
    transport.close()
  })

  it('that is destroyed before its end ends the request', async () => {
    await using engine = await standIn((request) => request.resume())
    const transport = new Transport(engine.address)
    const stream = new Readable({ read: () => {} })
    const arrived = once(engine.server, 'request')
    const call = transport.json({ method: 'PUT', path: '/x', stream, doing: 'take it' })
    const [request] = await arrived
    const ended = new Promise((resolve) => request.on('close', resolve))
    stream.destroy()
    await assert.rejects(call, { code: 'engine-lost' })
    await ended
    transport.close()
  })

  it('is not read while the engine does not', async () => {
    let asked: IncomingMessage | undefined
    await using engine = await standIn((request, response) => {
      asked = request
      response.writeHead(200).flushHeaders()
      request.on('end', () => response.end())
    })
    const transport = new Transport(engine.address)
    const total = 64
    const chunk = Buffer.alloc(1 << 20)
    let given = 0
    const stream = new Readable({
      read() {
        this.push(given++ < total ? chunk : null)
      },
    })
    // The answer comes at the head; by then as much has been read as fits into the buffers.
    const answer = await transport.send({ method: 'PUT', path: '/x', stream, doing: 'take it' })
    for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve))
    assert.ok(given < total / 2, `${given} MiB`)
    asked?.resume()
    await Array.fromAsync(answer)
    assert.equal(given, total + 1)
    transport.close()
  })
})

describe('a connection that is kept', () => {
  it('may break as it is used again: what can be repeated is, over a new one', async () => {
    let seen = new WeakSet<object>()
    await using engine = await standIn((request, response) => {
      if (seen.has(request.socket)) request.socket.destroy()
      else response.end('{}')
      seen.add(request.socket)
    })
    const transport = new Transport(engine.address)
    for (const method of ['GET', 'DELETE'] as const) {
      seen = new WeakSet()
      await transport.text({ ...say('/x'), method })
      await transport.text({ ...say('/x'), method })
    }
    assert.equal(engine.connections(), 3)
    await assert.rejects(transport.text({ ...say('/x'), method: 'POST' }), { code: 'engine-lost' })
    assert.equal(engine.connections(), 3)
    transport.close()
  })

  it('is not opened again for a call that waits at the end', async () => {
    await using engine = await standIn((request, response) => {
      if (request.url === '/first') response.end('{}')
    })
    const transport = new Transport(engine.address)
    await transport.json(say('/first'))
    const arrived = once(engine.server, 'request')
    const call = transport.json(say('/never'))
    await arrived
    transport.close()
    await assert.rejects(call, { code: 'engine-lost' })
    assert.equal(engine.connections(), 1)
  })
})
