import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { Readable } from 'node:stream'
import { describe, it } from 'node:test'
import { Engine } from '../../../runtime/engine/engine.ts'
import { problemOf } from '../../../runtime/engine/errors.ts'
import { Transport } from '../../../runtime/engine/transport.ts'
import type { MoorageError } from '../../../runtime/protocol/errors.ts'
import type { ContainerId } from '../../../runtime/protocol/model.ts'
import { standIn } from './stand-in.ts'

const get = (path: string) => ({ method: 'GET', path, doing: 'answer' }) as const

describe('Transport', () => {
  it('keeps its connection for the next call', async () => {
    await using engine = await standIn((_, response) => response.end('{"a":1}'))
    const transport = new Transport(engine.address)
    for (let i = 0; i < 5; i++) assert.deepEqual(await transport.json(get('/x')), { a: 1 })
    assert.equal(engine.connections(), 1)
    transport.close()
  })

  it('calls again when the engine closes a kept connection at that moment', async () => {
    await using engine = await standIn((request, response) => {
      if (request.url === '/last') response.on('finish', () => request.socket.destroy())
      response.end('{}')
    })
    const transport = new Transport(engine.address)
    await transport.json(get('/first'))
    // The connection breaks as the second call is written to it.
    const [kept] = await new Promise<[import('node:net').Socket]>((resolve) => {
      engine.server.once('request', (request) => resolve([request.socket]))
      void transport.json(get('/second'))
    })
    kept.destroy()
    assert.deepEqual(await transport.json(get('/third')), {})
    transport.close()
  })

  it('sends a body of unknown length as it comes', async () => {
    await using engine = await standIn((request, response) => {
      request.setEncoding('utf8')
      let body = ''
      request.on('data', (text) => {
        body += text
      })
      request.on('end', () => response.end(JSON.stringify({ body, type: request.headers['content-type'] })))
    })
    const transport = new Transport(engine.address)
    const stream = Readable.from(['one ', 'two'].map((text) => Buffer.from(text)))
    assert.deepEqual(await transport.json({ method: 'PUT', path: '/x', stream, doing: 'take it' }), {
      body: 'one two',
      type: 'application/x-tar',
    })
    transport.close()
  })

  it('rejects with the error of a body that fails, and ends the call', async () => {
    await using engine = await standIn((request) => request.resume())
    const transport = new Transport(engine.address)
    const stream = new Readable({ read: () => {} })
    const call = transport.json({ method: 'PUT', path: '/x', stream, doing: 'take it' })
    stream.destroy(new Error('the file is gone'))
    await assert.rejects(call, /the file is gone/)
    transport.close()
  })

  it('destroys a body when the call fails', async () => {
    await using engine = await standIn((_, response) => response.writeHead(500).end('{"message":"no"}'))
    const transport = new Transport(engine.address)
    const stream = new Readable({ read: () => {} })
    await assert.rejects(
      transport.json({ method: 'PUT', path: '/x', stream, doing: 'take it' }),
      /could not take it: no/,
    )
    assert.ok(stream.destroyed)
    transport.close()
  })

  it('rejects with the reason of its signal, before the answer and within it', async () => {
    await using engine = await standIn((request, response) => {
      if (request.url === '/half') response.write('{')
    })
    const transport = new Transport(engine.address)
    for (const path of ['/never', '/half']) {
      const abort = new AbortController()
      const arrived = once(engine.server, 'request')
      const call = transport.json({ ...get(path), signal: abort.signal })
      await arrived
      abort.abort(new Error('enough'))
      await assert.rejects(call, /enough/)
    }
    await assert.rejects(transport.json({ ...get('/x'), signal: AbortSignal.abort(new Error('before')) }), /before/)
    transport.close()
  })

  it('tells a lost engine from one that is not there', async () => {
    const engine = await standIn((request) => request.socket.destroy())
    const transport = new Transport(engine.address)
    await assert.rejects(transport.json(get('/x')), { code: 'engine-lost' })
    await engine[Symbol.asyncDispose]()
    await assert.rejects(transport.json(get('/x')), (error: MoorageError) => error.detail.code === 'ENOENT')
    transport.close()
  })

  it('ends what waits when it is closed', async () => {
    await using engine = await standIn(() => {})
    const transport = new Transport(engine.address)
    const arrived = once(engine.server, 'request')
    const call = transport.json(get('/x'))
    await arrived
    transport.close()
    await assert.rejects(call, { code: 'engine-lost' })
  })

  it('reaches an engine over TCP', async () => {
    const server = createServer((socket) => {
      socket.on('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}'))
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as { port: number }
    const transport = new Transport({ protocol: 'http', host: '127.0.0.1', port })
    assert.deepEqual(await transport.json(get('/x')), {})
    transport.close()
    server.close()
  })
})

describe('Engine', () => {
  it('is not what answers something else', async () => {
    await using other = await standIn(() => {})
    other.server.removeAllListeners('request')
    other.server.on('request', (_, response) => response.end('<h1>It works!</h1>'))
    await assert.rejects(Engine.connect(other.address), {
      code: 'engine-error',
      message: /is no container engine: <h1>/,
    })
  })

  it('speaks the version that both know', async () => {
    const paths: (string | undefined)[] = []
    await using engine = await standIn((request, response) => {
      paths.push(request.url)
      response.end('[]')
    })
    await using client = await Engine.connect(engine.address)
    assert.deepEqual(await client.listContainers(['a=1', 'b']), [])
    const filters = encodeURIComponent(JSON.stringify({ label: ['a=1', 'b'] }))
    assert.deepEqual(paths, [`/v1.41/containers/json?all=1&filters=${filters}`])
  })

  it('knows a wait before the exit, and the exit when it comes', async () => {
    const answers: import('node:http').ServerResponse[] = []
    await using engine = await standIn((request, response) => {
      assert.equal(request.url, '/v1.41/containers/abc/wait?condition=next-exit')
      response.flushHeaders()
      answers.push(response)
    })
    await using client = await Engine.connect(engine.address)
    const wait = await client.wait('abc' as ContainerId)
    answers[0]?.end('{"StatusCode":137}\n')
    assert.deepEqual(await wait.exit, { exitCode: 137, error: undefined })
  })

  it('asks how a container ended when the engine stopped waiting without saying so', async () => {
    const state = { Status: 'exited', Running: false, Paused: false, ExitCode: 9 }
    const gone = { message: 'No such container: abc' }
    for (const there of [true, false]) {
      await using engine = await standIn((request, response) => {
        if (request.url?.includes('/wait')) response.end()
        else if (there) response.end(JSON.stringify({ Id: 'abc', Name: '/a', Image: 'i', State: state, Config: {} }))
        else response.writeHead(404).end(JSON.stringify(gone))
      })
      await using client = await Engine.connect(engine.address)
      const { exit } = await client.wait('abc' as ContainerId)
      if (there) assert.equal((await exit).exitCode, 9)
      else await assert.rejects(exit, { code: 'engine-lost' })
    }
  })

  it('attaches over an upgraded connection and says when it ended', async () => {
    await using engine = await standIn(
      () => {},
      (_, socket) => {
        socket.write('HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n')
        socket.write(Buffer.from('\x01\0\0\0\0\0\0\x05hello', 'latin1'))
        socket.once('data', (bytes) => {
          socket.write(Buffer.concat([Buffer.from([2, 0, 0, 0, 0, 0, 0, bytes.length]), bytes]))
          socket.end()
        })
      },
    )
    await using client = await Engine.connect(engine.address)
    const got: string[] = []
    const attachment = await client.attach('abc' as ContainerId, (stream, bytes) => got.push(`${stream} ${bytes}`))
    attachment.stdin.write('ping')
    assert.deepEqual(await attachment.closed, {})
    assert.deepEqual(got, ['stdout hello', 'stderr ping'])
    await assert.rejects(new Promise((_, reject) => attachment.stdin.write('late', reject)))
  })

  it('rejects an attach that the engine refuses', async () => {
    await using engine = await standIn((_, response) => response.end())
    engine.server.on('upgrade', (_request, socket) => {
      socket.end('HTTP/1.1 404 Not Found\r\nContent-Length: 36\r\n\r\n{"message":"No such container: abc"}')
    })
    await using client = await Engine.connect(engine.address)
    await assert.rejects(
      client.attach('abc' as ContainerId, () => {}),
      (error) => problemOf(error) === 'no-such-container',
    )
  })

  it('takes a removal that is under way for done', async () => {
    await using engine = await standIn((_, response) => {
      response.writeHead(409).end('{"message":"removal of container abc is already in progress"}')
    })
    await using client = await Engine.connect(engine.address)
    await client.remove('abc')
    await assert.rejects(client.start('abc' as ContainerId), (error) => problemOf(error) === 'being-removed')
  })
})
