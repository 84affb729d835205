import { Duplex } from 'node:stream'
import { WINDOW_BYTES } from '../protocol/frames.ts'
import { SendWindow } from './send-window.ts'

/** What a connection needs of the agent's link. */
export interface ConnectionWire {
  data(bytes: Uint8Array): void
  eof(): void
  /** The reader took this many bytes. */
  credit(bytes: number): void
  /** Reset and forget. */
  close(): void
}

/** Grants are sent when this much was read, so that a stream of small reads is not a stream of grants. */
const GRANT_BYTES = WINDOW_BYTES / 4

/** One TCP connection inside a container, as a stream. Destroying it resets the connection. */
export class Connection extends Duplex {
  readonly #wire: ConnectionWire
  #mayCome = WINDOW_BYTES
  readonly #window: SendWindow
  #ungranted = 0
  #ended = false

  constructor(wire: ConnectionWire) {
    super({ allowHalfOpen: true, readableHighWaterMark: WINDOW_BYTES, writableHighWaterMark: 65_536 })
    this.#wire = wire
    this.#window = new SendWindow((bytes) => wire.data(bytes))
  }

  /** Bytes came. A sender that does not keep to its window, or goes on after its end, is hostile: the connection breaks. */
  received(bytes: Buffer): void {
    if (this.destroyed) return
    this.#mayCome -= bytes.length
    if (this.#ended || this.#mayCome < 0) {
      this.#break('The container sent more than it may.')
      return
    }
    this.#ungranted += bytes.length
    if (this.push(bytes)) this.#grant()
  }

  /** The container's side will send no more. */
  receivedEof(): void {
    if (this.#ended || this.destroyed) return
    this.#ended = true
    this.push(null)
    // As a socket does: the end shows also where nobody reads, so that an idle connection is not kept for dead.
    this.read(0)
  }

  /** The agent takes more. */
  granted(bytes: number): void {
    this.#window.granted(bytes)
  }

  override _read(): void {
    this.#grant()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#window.write(chunk, done)
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#wire.eof()
    done()
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#window.drop()
    this.#wire.close()
    done(error)
  }

  /** HTTP's client asks sockets for these; there is nothing to do for a stream over a link. */
  setNoDelay(): this {
    return this
  }
  setKeepAlive(): this {
    return this
  }
  setTimeout(): this {
    return this
  }
  ref(): this {
    return this
  }
  unref(): this {
    return this
  }

  #grant(): void {
    if (this.#ungranted < GRANT_BYTES || this.#ended) return
    this.#wire.credit(this.#ungranted)
    this.#mayCome += this.#ungranted
    this.#ungranted = 0
  }

  /** Ends it with an error that nobody has to hear. */
  #break(message: string): void {
    this.on('error', () => undefined)
    this.destroy(new Error(message))
  }
}
