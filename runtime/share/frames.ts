/** Frames of the wire to those who join (protocol/share.ts): JSON, and bytes beside it. */
import { WireError } from '../protocol/frames.ts'

const HEAD_BYTES = 4

/** Members of a message that may have a member `bytes`. */
const BODIES = ['args', 'value'] as const

interface Bodies {
  readonly args?: unknown
  readonly value?: unknown
}

/** Makes the frame of a message. */
export function encode(message: object): string | Buffer {
  for (const name of BODIES) {
    const body = (message as Bodies)[name] as { bytes?: unknown } | null | undefined
    if (!(body?.bytes instanceof Uint8Array)) continue
    const head = Buffer.from(JSON.stringify({ ...message, [name]: { ...body, bytes: undefined } }))
    const length = Buffer.alloc(HEAD_BYTES)
    length.writeUInt32LE(head.length)
    return Buffer.concat([length, head, body.bytes])
  }
  return JSON.stringify(message)
}

/**
 * Takes a frame apart; bytes are a view on it.
 * @throws WireError where it is none.
 */
export function decode(frame: Buffer, isBinary: boolean): unknown {
  try {
    if (!isBinary) return JSON.parse(frame.toString('utf8'))
    const head = HEAD_BYTES + frame.readUInt32LE(0)
    if (head > frame.length) throw new WireError('A frame is shorter than it says.')
    const message = JSON.parse(frame.toString('utf8', HEAD_BYTES, head)) as Record<string, object | undefined>
    for (const name of BODIES) {
      const body = message[name]
      if (body !== undefined) message[name] = { ...body, bytes: frame.subarray(head) }
    }
    return message
  } catch (error) {
    throw new WireError(error instanceof Error ? error.message : String(error))
  }
}
