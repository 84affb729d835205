import { outcome, tell } from '../tell.ts'
import type { Sentences } from './index.ts'

const text = (chunk: Uint8Array): string => new TextDecoder().decode(chunk)
const bytes = (value: string): Uint8Array => new TextEncoder().encode(value)

/** All that is still to come. */
async function rest(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<string> {
  let all = ''
  for (let part = await reader.read(); !part.done; part = await reader.read()) all += text(part.value)
  return all
}

export const connect: Sentences = {
  async withoutPort(o) {
    await o.boot()
    return outcome(() => {
      o.container.getTcpPort(7000).connect('10.0.0.1')
      return 'given'
    })
  },

  async opens(o) {
    await o.boot()
    const socket = o.container.getTcpPort(7000).connect('10.0.0.1:7000')
    await socket.opened
    const writer = socket.writable.getWriter()
    const reader = socket.readable.getReader()
    await writer.write(bytes('hello'))
    const { value } = await reader.read()
    await socket.close()
    return text(value)
  },

  /** The address's host and port say nothing about where it goes. */
  async hostIsIgnored(o) {
    await o.boot()
    const socket = o.container.getTcpPort(7000).connect({ hostname: 'nowhere.invalid', port: 1 })
    const writer = socket.writable.getWriter()
    await writer.write(bytes('x'))
    const { value } = await socket.readable.getReader().read()
    await socket.close()
    return text(value)
  },

  /** Writing before `opened` is waited for. */
  async withoutWaiting(o) {
    await o.boot()
    const socket = o.container.getTcpPort(7000).connect('container:7000')
    const writer = socket.writable.getWriter()
    await writer.write(bytes('early'))
    await writer.close()
    return rest(socket.readable.getReader())
  },

  /** The container answers only after our end, so it must see it while its own direction stays open. */
  async halfClose(o) {
    await o.boot()
    const socket = o.container.getTcpPort(7000).connect('container:7000', { allowHalfOpen: true } as SocketOptions)
    await socket.opened
    const writer = socket.writable.getWriter()
    await writer.write(bytes('abc'))
    await writer.close()
    const heard = await rest(socket.readable.getReader())
    return { heard, closed: await outcome(() => socket.closed) }
  },

  async pipes(o) {
    await o.boot()
    const socket = o.container.getTcpPort(7000).connect('container:7000', { allowHalfOpen: true } as SocketOptions)
    const size = 4 << 20
    const { readable, writable } = new IdentityTransformStream()
    const piped = readable.pipeTo(socket.writable)
    const filled = (async () => {
      const writer = writable.getWriter()
      const part = new Uint8Array(64 * 1024).fill(120)
      for (let sent = 0; sent < size; sent += part.length) await writer.write(part)
      await writer.close()
    })()
    const heard = await rest(socket.readable.getReader())
    await Promise.all([piped, filled])
    return { length: heard.length, end: heard.slice(size) }
  },

  async closed(o) {
    await o.boot()
    const socket = o.container.getTcpPort(7000).connect('container:7000')
    await socket.opened
    const closing = await outcome(() => socket.close())
    return { closing, closed: await outcome(() => socket.closed) }
  },

  async nothingListens(o) {
    await o.boot()
    const socket = o.container.getTcpPort(7001).connect('container:7001')
    socket.opened.catch(() => {})
    const closed = await outcome(() => socket.closed)
    const write = await outcome(() => socket.writable.getWriter().write(bytes('x')))
    return { closed, write }
  },

  /** The container ends with the connection open: the reader sees an end or an error, never silence. */
  async lost(o) {
    await o.boot()
    const socket = o.container.getTcpPort(7000).connect('container:7000')
    await socket.opened
    socket.closed.catch(() => {})
    o.container.signal(9)
    try {
      return (await rest(socket.readable.getReader())) === '' ? 'ended' : 'data'
    } catch (error) {
      return tell(error).name === undefined ? 'no error' : 'ended'
    }
  },

  async severalAtOnce(o) {
    await o.boot()
    return Promise.all(
      ['a', 'bb', 'ccc'].map(async (word) => {
        const socket = o.container.getTcpPort(7000).connect('container:7000', { allowHalfOpen: true } as SocketOptions)
        const writer = socket.writable.getWriter()
        await writer.write(bytes(word))
        await writer.close()
        return rest(socket.readable.getReader())
      }),
    )
  },
}
