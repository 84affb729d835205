import type { PlainObject } from '../plain.ts'
import type { Sentences } from './index.ts'

/** Opens the container's echoing WebSocket. */
async function open(
  o: PlainObject,
  headers: Record<string, string> = {},
): Promise<{ answer: Response; socket: WebSocket }> {
  const answer = await o.container
    .getTcpPort(8080)
    .fetch('http://container/ws', { headers: { upgrade: 'websocket', ...headers } })
  const socket = answer.webSocket
  if (!socket) throw new Error(`no WebSocket: ${answer.status}`)
  socket.binaryType = 'arraybuffer'
  socket.accept()
  return { answer, socket }
}

/** The next message. */
function next(socket: WebSocket): Promise<string | ArrayBuffer> {
  return new Promise((resolve, reject) => {
    socket.addEventListener('message', (event) => resolve(event.data), { once: true })
    socket.addEventListener('close', (event) => reject(new Error(`closed: ${event.code}`)), { once: true })
  })
}

export const sockets: Sentences = {
  async upgrade(o) {
    await o.boot()
    const { answer, socket } = await open(o)
    socket.send('hello')
    const echoed = await next(socket)
    socket.close(1000, 'done')
    return { status: answer.status, header: answer.headers.get('x-from-container'), echoed }
  },

  async upgradeHost(o) {
    await o.boot()
    const { socket } = await open(o, { 'x-mine': 'yes' })
    socket.send('headers')
    const raw = JSON.parse((await next(socket)) as string) as string[]
    socket.close()
    const value = (name: string): string | undefined => raw[raw.findIndex((n) => n.toLowerCase() === name) + 1]
    const forbidden = raw.filter((name) => /^(cf-|x-moorage-)/i.test(name))
    return { host: value('host'), mine: value('x-mine'), forbidden }
  },

  async binary(o) {
    await o.boot()
    const { socket } = await open(o)
    socket.send(new Uint8Array([0, 1, 254, 255]))
    const echoed = (await next(socket)) as ArrayBuffer
    socket.close()
    return [...new Uint8Array(echoed)]
  },

  async large(o) {
    await o.boot()
    const { socket } = await open(o)
    const text = 'moorage '.repeat(60_000)
    socket.send(text)
    const same = (await next(socket)) === text
    socket.close()
    return same
  },

  async manyMessages(o) {
    await o.boot()
    const { socket } = await open(o)
    const heard: unknown[] = []
    const all = new Promise<void>((resolve) => {
      socket.addEventListener('message', (event) => {
        heard.push(event.data)
        if (heard.length === 200) resolve()
      })
    })
    for (let i = 0; i < 200; i++) socket.send(String(i))
    await all
    socket.close()
    return heard.every((data, i) => data === String(i))
  },

  async protocol(o) {
    await o.boot()
    const { answer, socket } = await open(o, { 'sec-websocket-protocol': 'chat, other' })
    socket.close()
    return answer.headers.get('sec-websocket-protocol')
  },

  /** The container closes: code and reason arrive. */
  async closedByContainer(o) {
    await o.boot()
    const { socket } = await open(o)
    const closed = new Promise((resolve) => {
      socket.addEventListener('close', ({ code, reason }) => resolve({ code, reason }), { once: true })
    })
    socket.send('close')
    return closed
  },

  async closedByWorker(o) {
    await o.boot()
    const { socket } = await open(o)
    const closed = new Promise((resolve) => {
      socket.addEventListener('close', ({ code, reason }) => resolve({ code, reason }), { once: true })
    })
    socket.close(4002, 'mine')
    return closed
  },

  /** The container ends with the socket open. */
  async lost(o) {
    await o.boot()
    const { socket } = await open(o)
    const closed = new Promise<boolean>((resolve) => {
      socket.addEventListener('close', () => resolve(true), { once: true })
      socket.addEventListener('error', () => resolve(true), { once: true })
    })
    o.container.signal(9)
    return closed
  },

  async upgradeRefused(o) {
    await o.boot()
    const answer = await o.container
      .getTcpPort(8080)
      .fetch('http://container/elsewhere', { headers: { upgrade: 'websocket' } })
    const { status, headers, webSocket } = answer
    return { status, header: headers.get('x-refused'), socket: webSocket !== null, body: await answer.text() }
  },
}
