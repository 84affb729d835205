import assert from 'node:assert/strict'
import { request } from 'node:http'
import { connect } from 'node:net'
import { describe, it, type TestContext } from 'node:test'
import { LoopbackServer } from '../../../runtime/link/server.ts'

const TOKEN = 'a-token-of-64-hex-digits'
const CLIENT = 'the-token-of-clients'

/** A server that says what reached it, and a client that speaks raw HTTP. */
async function setUp(t: TestContext) {
  const reached: string[] = []
  const server = new LoopbackServer(
    [
      { header: 'x-moorage-token', token: TOKEN, anyOrigin: true },
      { path: '/client', header: 'x-moorage-client', token: CLIENT },
    ],
    {
      request: (incoming, outgoing) => {
        reached.push(`request ${incoming.url}`)
        outgoing.end('hello')
      },
      upgrade: (incoming, socket, head) => {
        reached.push(`upgrade ${incoming.url} ${head}`)
        socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\n')
      },
      connect: (incoming, socket, head) => {
        reached.push(`connect ${incoming.url} ${head}`)
        socket.end('HTTP/1.1 200 OK\r\n\r\n')
      },
    },
  )
  const port = await server.listen()
  t.after(() => server.close())
  /** Sends text as it is and resolves with all that comes until the connection ends. */
  const raw = (text: string): Promise<string> =>
    new Promise((resolve, reject) => {
      let answer = ''
      const socket = connect({ port, host: '127.0.0.1' }, () => socket.write(text))
      socket.on('data', (chunk) => {
        answer += chunk
      })
      socket.on('error', reject)
      socket.on('close', () => resolve(answer))
    })
  const get = (headers: Record<string, string>): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      const outgoing = request({ host: '127.0.0.1', port, path: '/call', headers, agent: false }, (answer) => {
        answer.resume()
        answer.on('end', () => resolve(answer.statusCode))
      })
      outgoing.on('error', reject)
      outgoing.end()
    })
  return { server, port, raw, get, reached }
}

describe('the loopback server', () => {
  it('hands on what bears the token and names it by its loopback name', async (t) => {
    const { get, port, reached } = await setUp(t)
    assert.equal(await get({ 'x-moorage-token': TOKEN }), 200)
    assert.equal(await get({ 'x-moorage-token': TOKEN, host: `localhost:${port}` }), 200)
    assert.deepEqual(reached, ['request /call', 'request /call'])
  })

  it('refuses all else with 403 and nothing more', async (t) => {
    const { get, port, reached } = await setUp(t)
    for (const headers of [
      {},
      { 'x-moorage-token': '' },
      { 'x-moorage-token': TOKEN.slice(1) },
      { 'x-moorage-token': `${TOKEN}x` },
      { 'x-moorage-token': TOKEN, host: 'evil.example' },
      { 'x-moorage-token': TOKEN, host: `evil.example:${port}` },
      { 'x-moorage-token': TOKEN, host: '127.0.0.1' },
    ]) {
      assert.equal(await get(headers as Record<string, string>), 403, JSON.stringify(headers))
    }
    assert.deepEqual(reached, [])
  })

  it('guards upgrades the same way', async (t) => {
    const { raw, port, reached } = await setUp(t)
    const upgrade = (headers: string): string =>
      `GET /attach HTTP/1.1\r\n${headers}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`
    assert.match(await raw(upgrade(`Host: 127.0.0.1:${port}\r\nx-moorage-token: ${TOKEN}\r\n`)), /^HTTP\/1\.1 101 /)
    assert.match(await raw(upgrade(`Host: 127.0.0.1:${port}\r\n`)), /^HTTP\/1\.1 403 /)
    assert.match(await raw(upgrade(`Host: evil.example\r\nx-moorage-token: ${TOKEN}\r\n`)), /^HTTP\/1\.1 403 /)
    assert.deepEqual(reached, ['upgrade /attach '])
  })

  it('has a door of its own for clients, which no web page passes', async (t) => {
    const { raw, port, reached } = await setUp(t)
    const upgrade = (path: string, headers: string): string =>
      `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${headers}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`
    const origin = 'Origin: http://evil.example\r\n'
    assert.match(await raw(upgrade('/client', `x-moorage-client: ${CLIENT}\r\n`)), /^HTTP\/1\.1 101 /)
    assert.match(await raw(upgrade('/client', `x-moorage-client: ${CLIENT}\r\n${origin}`)), /^HTTP\/1\.1 403 /)
    assert.match(await raw(upgrade('/client', `x-moorage-token: ${TOKEN}\r\n`)), /^HTTP\/1\.1 403 /)
    assert.match(await raw(upgrade('/attach', `x-moorage-client: ${CLIENT}\r\n`)), /^HTTP\/1\.1 403 /)
    assert.match(await raw(upgrade('/attach', `x-moorage-token: ${TOKEN}\r\n${origin}`)), /^HTTP\/1\.1 101 /)
    assert.deepEqual(reached, ['upgrade /client ', 'upgrade /attach '])
  })

  it('guards tunnels by the token; their Host is the tunnel’s end', async (t) => {
    const { raw, reached } = await setUp(t)
    const tunnel = (headers: string): string => `CONNECT i:80 HTTP/1.1\r\nHost: i:80\r\n${headers}\r\nearly`
    assert.match(await raw(tunnel(`x-moorage-token: ${TOKEN}\r\n`)), /^HTTP\/1\.1 200 /)
    assert.match(await raw(tunnel('')), /^HTTP\/1\.1 403 /)
    assert.deepEqual(reached, ['connect i:80 early'])
  })

  it('closes what does not speak HTTP', async (t) => {
    const { raw, reached } = await setUp(t)
    assert.equal(await raw('\u0016\u0003\u0001 hello\r\n\r\n'), '')
    assert.deepEqual(reached, [])
  })

  it('adds no headers of its own to an answer', async (t) => {
    const { raw, port } = await setUp(t)
    const answer = await raw(`GET /call HTTP/1.0\r\nHost: 127.0.0.1:${port}\r\nx-moorage-token: ${TOKEN}\r\n\r\n`)
    assert.equal(answer.split('\r\n\r\n')[0], 'HTTP/1.1 200 OK')
  })

  it('ends every connection when it is closed', async (t) => {
    const { server, raw } = await setUp(t)
    const half = raw('GET / HTTP/1.1\r\nHost:')
    await new Promise((resolve) => setImmediate(resolve))
    server.close()
    await half.catch(() => undefined)
  })
})
