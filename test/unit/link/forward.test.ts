import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, it, type TestContext } from 'node:test'
import { type RawData, WebSocket, WebSocketServer } from 'ws'
import { AgentLink } from '../../../runtime/link/agent.ts'
import { PortForward } from '../../../runtime/link/forward.ts'
import { PortClient } from '../../../runtime/link/port-client.ts'
import { DiallingAgent } from './fake-agent.ts'
import { socketPair } from './sockets.ts'

/** A forward of a container's port, where a server tells what it was asked and echoes WebSocket messages. */
async function setUp(t: TestContext) {
  const [near, far] = await socketPair(t)
  const _agent = new DiallingAgent(far)
  const link = new AgentLink(() => undefined)
  link.adopt(near, Buffer.alloc(0))
  const client = new PortClient(link)
  const server = createServer((asked, answer) => {
    answer.setHeader('x-app', 'yes')
    answer.end(`${asked.method} ${asked.url} host=${asked.headers.host} cookie=${asked.headers.cookie ?? '-'}`)
  })
  const sockets = new WebSocketServer({ server })
  sockets.on('connection', (socket) => socket.on('message', (data) => socket.send(data)))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  let open = 0
  let runs = true
  const forward = new PortForward({
    port,
    client: async () => (runs ? client : undefined),
    opened: () => {
      open += 1
      return () => {
        open -= 1
      }
    },
  })
  t.after(() => {
    forward.close()
    client.close()
    link.close()
    sockets.close()
    server.closeAllConnections()
    server.close()
  })
  const url = new URL(await forward.listen())
  const ask = async (path: string, headers: Record<string, string> = {}) => {
    const outgoing = request({ host: '127.0.0.1', port: url.port, path, headers, agent: false }).end()
    const [answer] = (await once(outgoing, 'response')) as [IncomingMessage]
    answer.setEncoding('utf8')
    let text = ''
    for await (const chunk of answer) text += chunk
    return { status: answer.statusCode, headers: answer.headers, text }
  }
  const enter = async (): Promise<string> => {
    const { headers } = await ask(url.pathname)
    return headers['set-cookie']?.[0]?.split(';')[0] ?? ''
  }
  return { url, ask, enter, server, client, open: () => open, stop: () => (runs = false) }
}

describe('a forwarded port', () => {
  it('gives who opens its url a cookie that no script reads and no other site sends, and leads to the app', async (t) => {
    const { url, ask } = await setUp(t)
    const { status, headers } = await ask(url.pathname)
    assert.deepEqual([status, headers.location, headers['cache-control']], [302, '/', 'no-store'])
    assert.match(headers['set-cookie']?.[0] ?? '', /^moorage-\d+=[0-9a-f]{64}; Path=\/; HttpOnly; SameSite=Strict$/)
  })

  it('passes requests on with their own Host, and without our cookie', async (t) => {
    const { url, ask, enter, client } = await setUp(t)
    const cookie = await enter()
    const { status, headers, text } = await ask('/a?b=c', { cookie: `theirs=1; ${cookie}; more=2` })
    assert.deepEqual([status, headers['x-app']], [200, 'yes'])
    assert.equal(text, `GET /a?b=c host=127.0.0.1:${url.port} cookie=theirs=1; more=2`)
    assert.match((await ask('/', { cookie })).text, /cookie=-$/)
    assert.match((await ask('//evil.example/x', { cookie })).text, /^GET \/\/evil.example\/x host=127/)
    assert.equal(client.answered.size, 1)
  })

  it('is closed to who has no secret, names another host, or comes from another page', async (t) => {
    const { url, ask, enter, server } = await setUp(t)
    const cookie = await enter()
    let asked = 0
    server.on('request', () => asked++)
    const refused: [path: string, headers: Record<string, string>][] = [
      ['/', {}],
      ['/', { cookie: 'moorage-1=0' }],
      ['/', { cookie: `${cookie}0` }],
      ['/', { cookie, host: `evil.example:${url.port}` }],
      ['/', { cookie, host: '127.0.0.1' }],
      ['/', { cookie, origin: 'http://127.0.0.1:1' }],
      ['/', { cookie, origin: 'null' }],
      [url.pathname, { host: 'evil.example' }],
      [`${url.pathname}0`, {}],
    ]
    for (const [path, headers] of refused) {
      const answer = await ask(path, headers)
      assert.deepEqual([answer.status, answer.text], [403, ''], JSON.stringify([path, headers]))
    }
    assert.equal(asked, 0)
  })

  it('says why nothing answers', async (t) => {
    const { ask, enter, server, stop } = await setUp(t)
    const cookie = await enter()
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
    const refused = await ask('/', { cookie })
    assert.equal(refused.status, 502)
    assert.match(refused.text, /^Nothing listens on port \d+ of the container\.\n$/)
    stop()
    assert.equal((await ask('/', { cookie })).text, 'The container does not run.\n')
  })

  it('carries WebSockets, and is counted as open meanwhile', async (t) => {
    const { url, enter, open } = await setUp(t)
    const cookie = await enter()
    const socket = new WebSocket(`ws://${url.host}/ws`, { headers: { cookie }, origin: `http://${url.host}` })
    await once(socket, 'open')
    assert.equal(open(), 1)
    socket.send('hello')
    const [data] = (await once(socket, 'message')) as [RawData]
    assert.equal(String(data), 'hello')
    socket.close()
    await once(socket, 'close')
    const foreign = [{ headers: {} }, { headers: { cookie }, origin: 'http://evil.example' }]
    for (const options of foreign) {
      const refused = new WebSocket(`ws://${url.host}/ws`, options)
      const [error] = (await once(refused, 'error')) as [Error]
      assert.match(error.message, /403/)
    }
  })
})
