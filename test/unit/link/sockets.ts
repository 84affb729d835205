/** Loopback sockets for tests; all are gone when the test ends. */
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import type { TestContext } from 'node:test'

/** Two ends of one TCP connection. */
export async function socketPair(t: TestContext): Promise<[Socket, Socket]> {
  const { port, next } = await listener(t)
  const near = connect({ port, host: '127.0.0.1' })
  near.on('error', () => undefined)
  t.after(() => near.destroy())
  return [near, await next()]
}

/** A server that hands out its connections one after the other. */
export async function listener(
  t: TestContext,
): Promise<{ port: number; next: () => Promise<Socket>; close: () => void }> {
  const came: Socket[] = []
  const waiting: ((socket: Socket) => void)[] = []
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined)
    t.after(() => socket.destroy())
    const waiter = waiting.shift()
    if (waiter === undefined) came.push(socket)
    else waiter(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const next = (): Promise<Socket> => {
    const socket = came.shift()
    return socket === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(socket)
  }
  return { port: (server.address() as AddressInfo).port, next, close: () => server.close() }
}

/** Resolves when a socket is closed. */
export function closed(socket: {
  closed: boolean
  once(event: 'close', listener: () => void): unknown
}): Promise<void> {
  return socket.closed ? Promise.resolve() : new Promise((resolve) => socket.once('close', () => resolve()))
}

/** The next `length` bytes of a stream, by its `data` events. */
export class ByteReader {
  #bytes = Buffer.alloc(0)
  #waiter: { length: number; resolve: (bytes: Buffer) => void } | undefined

  constructor(stream: { on(event: 'data', listener: (chunk: Buffer) => void): unknown }) {
    stream.on('data', (chunk) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk])
      this.#serve()
    })
  }

  take(length: number): Promise<Buffer> {
    return new Promise((resolve) => {
      this.#waiter = { length, resolve }
      this.#serve()
    })
  }

  #serve(): void {
    const waiter = this.#waiter
    if (waiter === undefined || this.#bytes.length < waiter.length) return
    this.#waiter = undefined
    const taken = this.#bytes.subarray(0, waiter.length)
    this.#bytes = this.#bytes.subarray(waiter.length)
    waiter.resolve(taken)
  }
}
