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

/** The longest command in bytes, over several frames: what Linux takes at most, were the stack unlimited. */
export const MAX_COMMAND_BYTES = 6_291_456

/** Bytes in front of a payload. */
export const HEADER_BYTES = 9

/** What a sender may have under way on one stream before the receiver grants more, in bytes. */
export const WINDOW_BYTES = 1_048_576

/** Length of the secrets that open a wire, in bytes. */
export const SECRET_BYTES = 32

/** One frame, or a part of one. The payload is a view on the received chunk: copy it to keep it. */
export interface Frame {
  readonly type: number
  readonly id: number
  readonly payload: Uint8Array
  /** Bytes of the frame's payload that came before this part of it. 0: its beginning, and mostly all of it. */
  readonly at: number
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
  const bytes = new Uint8Array(HEADER_BYTES + payload.length)
  bytes.set(encodeHeader(type, id, payload.length))
  bytes.set(payload, HEADER_BYTES)
  return bytes
}

/**
 * Makes the bytes in front of a payload, for those who send it without copying it.
 * @throws RangeError where it is longer than MAX_PAYLOAD_BYTES.
 */
export function encodeHeader(type: number, id: number, length: number): Uint8Array {
  if (length > MAX_PAYLOAD_BYTES) throw new RangeError(`A frame's payload is at most ${MAX_PAYLOAD_BYTES} bytes.`)
  const bytes = new Uint8Array(HEADER_BYTES)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, length, true)
  view.setUint8(4, type)
  view.setUint32(5, id, true)
  return bytes
}

const EMPTY = new Uint8Array(0)

/** Cuts a byte stream into frames. Holds at most one unfinished frame, as bytes of its own. */
export class FrameReader {
  /** The unfinished frame: as long as it will be, once its header is there. */
  #unfinished = new Uint8Array(HEADER_BYTES)
  #held = 0
  /** The frame whose payload is under way in parts, and what of it is to come. */
  #open: Open | undefined
  readonly #inParts: number | undefined

  /** @param inParts a type whose frames are not held until they are whole, but handed on in parts, as they come. */
  constructor(inParts?: number) {
    this.#inParts = inParts
  }

  /**
   * Takes the next bytes and returns the frames that are now whole, in order.
   * @throws WireError where a length is over MAX_PAYLOAD_BYTES; the reader is then of no more use.
   */
  push(chunk: Uint8Array): Frame[] {
    const frames: Frame[] = []
    let at = 0
    while (at < chunk.length) {
      const size = this.#held === 0 && this.#open === undefined ? sizeAt(chunk, at) : undefined
      if (this.#open !== undefined) {
        at += this.#handOn(this.#open, chunk.subarray(at), frames)
      } else if (size !== undefined && chunk.length - at >= size) {
        frames.push(frameOf(chunk.subarray(at, at + size)))
        at += size
      } else {
        at += this.#hold(chunk.subarray(at), frames)
      }
    }
    return frames
  }

  #handOn(open: Open, bytes: Uint8Array, frames: Frame[]): number {
    const payload = bytes.subarray(0, open.left)
    frames.push({ type: open.type, id: open.id, payload, at: open.at })
    open.at += payload.length
    open.left -= payload.length
    if (open.left === 0) this.#open = undefined
    return payload.length
  }

  /** Takes bytes of the unfinished frame, as far as its header or its end, and returns how many. */
  #hold(bytes: Uint8Array, frames: Frame[]): number {
    const taken = bytes.subarray(0, this.#unfinished.length - this.#held)
    this.#unfinished.set(taken, this.#held)
    this.#held += taken.length
    if (this.#held === HEADER_BYTES && this.#unfinished.length === HEADER_BYTES) this.#begin()
    if (this.#held === this.#unfinished.length && this.#held >= HEADER_BYTES) {
      frames.push(frameOf(this.#unfinished))
      this.#unfinished = new Uint8Array(HEADER_BYTES)
      this.#held = 0
    }
    return taken.length
  }

  /** The unfinished frame's header is whole. */
  #begin(): void {
    const size = sizeAt(this.#unfinished, 0) ?? HEADER_BYTES
    const { type, id } = frameOf(this.#unfinished)
    if (type === this.#inParts && size > HEADER_BYTES) {
      this.#open = { type, id, at: 0, left: size - HEADER_BYTES }
      this.#held = 0
      return
    }
    const whole = new Uint8Array(size)
    whole.set(this.#unfinished)
    this.#unfinished = whole
  }
}

/** A frame that is handed on in parts. */
interface Open {
  readonly type: number
  readonly id: number
  at: number
  left: number
}

/** The size of the frame that begins at `at`, or undefined where its header is not whole. */
function sizeAt(bytes: Uint8Array, at: number): number | undefined {
  if (bytes.length - at < HEADER_BYTES) return undefined
  const length = new DataView(bytes.buffer, bytes.byteOffset + at, HEADER_BYTES).getUint32(0, true)
  if (length > MAX_PAYLOAD_BYTES) {
    throw new WireError(`A frame of ${length} bytes came; ${MAX_PAYLOAD_BYTES} is the most.`)
  }
  return HEADER_BYTES + length
}

function frameOf(bytes: Uint8Array): Frame {
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES)
  return { type: view.getUint8(4), id: view.getUint32(5, true), payload: bytes.subarray(HEADER_BYTES), at: 0 }
}
