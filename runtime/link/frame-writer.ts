import type { Writable } from 'node:stream'
import { ToAgent } from '../protocol/agent.ts'
import { encodeFrame, encodeHeader, MAX_PAYLOAD_BYTES } from '../protocol/frames.ts'

/** What is copied behind its header for one plain write: less work than a gathered one of the two, up to a few pages. */
const COPIED_BYTES = 4_096

/** Writes frames to an agent, in order. Data of one stream that come in one turn leave in as few frames as hold them. */
export class FrameWriter {
  readonly #socket: Writable
  #id = 0
  #parts: Uint8Array[] = []
  #bytes = 0

  /** @param socket stays the caller's. */
  constructor(socket: Writable) {
    this.#socket = socket
  }

  /** Sends one frame. @throws RangeError where its payload is longer than the wire allows. */
  send(type: number, id: number, payload?: Uint8Array): void {
    this.#flush()
    this.#socket.write(encodeFrame(type, id, payload))
  }

  /** Sends bytes of a stream, as many as there are. They stay as they are until they are sent. */
  data(id: number, bytes: Uint8Array): void {
    if (bytes.length === 0) return
    if (this.#id !== id) this.#flush()
    if (this.#parts.length === 0) queueMicrotask(() => this.#flush())
    this.#id = id
    this.#parts.push(bytes)
    this.#bytes += bytes.length
  }

  #flush(): void {
    const [id, parts, bytes] = [this.#id, this.#parts, this.#bytes]
    if (bytes === 0) return
    this.#parts = []
    this.#bytes = 0
    if (bytes <= COPIED_BYTES) {
      this.#socket.write(encodeFrame(ToAgent.DATA, id, parts.length === 1 ? parts[0] : Buffer.concat(parts)))
      return
    }
    // Headers and payloads go out together, and no payload is copied.
    this.#socket.cork()
    let left = bytes
    let room = 0
    for (const part of parts) {
      for (let at = 0; at < part.length; ) {
        if (room === 0) {
          room = Math.min(left, MAX_PAYLOAD_BYTES)
          left -= room
          this.#socket.write(encodeHeader(ToAgent.DATA, id, room))
        }
        const piece = part.subarray(at, at + room)
        this.#socket.write(piece)
        at += piece.length
        room -= piece.length
      }
    }
    this.#socket.uncork()
  }
}
