import { WINDOW_BYTES } from '../protocol/frames.ts'

type Done = (error?: Error | null) => void

/** The sending half of a stream with credits: never more under way than the agent grants; the rest waits for its next grant. */
export class SendWindow {
  readonly #send: (bytes: Uint8Array) => void
  #mayWrite = WINDOW_BYTES
  #blocked: { readonly rest: Buffer; readonly done: Done } | undefined

  constructor(send: (bytes: Uint8Array) => void) {
    this.#send = send
  }

  /** Sends what may go now; `done` is called when all of it went. One at a time, as a Writable writes. */
  write(chunk: Buffer, done: Done): void {
    const now = chunk.subarray(0, this.#mayWrite)
    if (now.length > 0) {
      this.#mayWrite -= now.length
      this.#send(now)
    }
    if (now.length === chunk.length) done()
    else this.#blocked = { rest: chunk.subarray(now.length), done }
  }

  /** The agent takes more, but never more than a window. */
  granted(bytes: number): void {
    this.#mayWrite = Math.min(this.#mayWrite + bytes, WINDOW_BYTES)
    const blocked = this.#blocked
    this.#blocked = undefined
    if (blocked !== undefined) this.write(blocked.rest, blocked.done)
  }

  /** Nothing goes until the next grant. */
  stop(): void {
    this.#mayWrite = 0
  }

  /** Forgets what waits, and returns whom to tell, if anyone. */
  drop(): Done | undefined {
    const done = this.#blocked?.done
    this.#blocked = undefined
    return done
  }
}
