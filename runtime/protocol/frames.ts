/**
 * The frame that every binary wire of Moorage is made of: gateway, sandbox and agent speak it.
 * The C side is runtime/native/frame.h; a test compares the two.
 *
 *     u32 length of the payload | u8 type | u32 id | payload        (little endian)
 *
 * The id names a process or a connection; 0 is the container itself. What a container sends is hostile:
 * a length over the cap ends the connection, an unknown type or id is ignored.
 */

/** Version of all binary wires. A peer with another one is refused with an error that names both. */
export const WIRE_VERSION = 1

/** The longest payload that either side may send, in bytes. */
export const MAX_PAYLOAD_BYTES = 65_536

/** Bytes in front of a payload. */
export const HEADER_BYTES = 9

/** What a sender may have under way on one stream before the receiver grants more, in bytes. */
export const WINDOW_BYTES = 1_048_576

/** Length of the secrets that open a wire, in bytes. */
export const SECRET_BYTES = 32

/** One frame. The payload is a view on the received chunk: copy it to keep it. */
export interface Frame {
  readonly type: number
  readonly id: number
  readonly payload: Uint8Array
}

/** A peer broke the wire's rules: end the connection. */
export class WireError extends Error {
  override readonly name = 'WireError'
}

/**
 * Makes the bytes of one frame.
 * @throws RangeError where the payload is longer than MAX_PAYLOAD_BYTES.
 */
export function encodeFrame(type: number, id: number, payload: Uint8Array = EMPTY): Uint8Array {
  if (payload.length > MAX_PAYLOAD_BYTES)
    throw new RangeError(`A frame's payload is at most ${MAX_PAYLOAD_BYTES} bytes.`)
  const bytes = new Uint8Array(HEADER_BYTES + payload.length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, payload.length, true)
  view.setUint8(4, type)
  view.setUint32(5, id, true)
  bytes.set(payload, HEADER_BYTES)
  return bytes
}

const EMPTY = new Uint8Array(0)

/** Cuts a byte stream into frames. Holds at most one unfinished frame. */
export class FrameReader {
  #rest: Uint8Array = EMPTY

  /**
   * Takes the next bytes and returns the frames that are now whole, in order.
   * @throws WireError where a length is over MAX_PAYLOAD_BYTES; the reader is then of no more use.
   */
  push(chunk: Uint8Array): Frame[] {
    const bytes = this.#rest.length === 0 ? chunk : joined(this.#rest, chunk)
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const frames: Frame[] = []
    let at = 0
    while (bytes.length - at >= HEADER_BYTES) {
      const length = view.getUint32(at, true)
      if (length > MAX_PAYLOAD_BYTES)
        throw new WireError(`A frame of ${length} bytes came; ${MAX_PAYLOAD_BYTES} is the most.`)
      const end = at + HEADER_BYTES + length
      if (end > bytes.length) break
      frames.push({
        type: view.getUint8(at + 4),
        id: view.getUint32(at + 5, true),
        payload: bytes.subarray(at + HEADER_BYTES, end),
      })
      at = end
    }
    this.#rest = at === bytes.length ? EMPTY : bytes.slice(at)
    return frames
  }
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length)
  both.set(a)
  both.set(b, a.length)
  return both
}
