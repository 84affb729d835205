import type { RawData, WebSocket } from 'ws'
import { z } from 'zod'
import { WireError } from '../protocol/frames.ts'
import { Closed } from '../protocol/share.ts'
import type { Port } from '../relay/calls.ts'
import { decode, encode } from './frames.ts'
import { Outbox } from './outbox.ts'

const id = z.number().int()
const message = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('ask'), id, name: z.string(), args: z.unknown() }),
  z.object({ kind: z.literal('answer'), id, value: z.unknown().optional() }),
  z.object({
    kind: z.literal('error'),
    id,
    error: z.object({
      name: z.string(),
      message: z.string(),
      code: z.string().optional(),
      advice: z.array(z.string()).optional(),
      detail: z.record(z.string(), z.unknown()).optional(),
    }),
  }),
  z.object({ kind: z.literal('news'), value: z.unknown() }),
])

/** One side of a WebSocket, as a port for calls. What is no message of theirs ends the connection. */
export class SocketPort implements Port {
  readonly #socket: WebSocket
  readonly #outbox: Outbox

  /** @param socket stays the caller's, who closes it and hears of its end. */
  constructor(socket: WebSocket) {
    this.#socket = socket
    this.#outbox = new Outbox({
      send: (frame, done) => socket.send(frame, () => done()),
      onFull: () => socket.close(Closed.SLOW, 'It took too little of what happens in the session.'),
    })
  }

  postMessage(value: unknown): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#outbox.send(encode(value as object))
  }

  on(_event: 'message', listener: (value: unknown) => void): void {
    this.#socket.on('message', (data, isBinary) => {
      let value: unknown
      try {
        value = message.parse(read(data, isBinary))
      } catch (error) {
        if (!(error instanceof WireError || error instanceof z.ZodError)) throw error
        this.#socket.close(Closed.NOT_UNDERSTOOD, 'A message was not understood.')
        return
      }
      listener(value)
    })
  }
}

/** A message's value. @throws WireError */
export function read(data: RawData, isBinary: boolean): unknown {
  return decode(Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data as ArrayBuffer), isBinary)
}
