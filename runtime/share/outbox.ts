/** On its way to the system, at most about so much; it takes no more from a reader that is stuck. */
const UNDERWAY_BYTES = 1_048_576
/** Waiting behind that, at most so much. */
const WAITING_BYTES = 67_108_864

export interface OutboxOptions {
  /** Sends a frame, and calls `done` when the system has it, or never will. */
  send(frame: string | Buffer, done: () => void): void
  /** So much waits that the reader has to go; nothing more is sent. Called once. */
  onFull(): void
}

/** Frames for a reader that may be slow: in order, and bounded. */
export class Outbox {
  readonly #options: OutboxOptions
  /** Those before `#next` have been sent. */
  #waiting: (string | Buffer)[] = []
  #next = 0
  #waitingBytes = 0
  #underway = 0
  #full = false

  constructor(options: OutboxOptions) {
    this.#options = options
  }

  send(frame: string | Buffer): void {
    if (this.#full) return
    if (this.#waitingBytes === 0 && this.#underway < UNDERWAY_BYTES) {
      this.#go(frame)
      return
    }
    this.#waiting.push(frame)
    this.#waitingBytes += Buffer.byteLength(frame)
    if (this.#waitingBytes <= WAITING_BYTES) return
    this.#full = true
    this.#waiting = []
    this.#options.onFull()
  }

  #go(frame: string | Buffer): void {
    const size = Buffer.byteLength(frame)
    this.#underway += size
    this.#options.send(frame, () => {
      this.#underway -= size
      this.#pump()
    })
  }

  #pump(): void {
    while (this.#underway < UNDERWAY_BYTES) {
      const frame = this.#waiting[this.#next]
      if (frame === undefined) break
      // What is sent is not held on to until all the others are.
      this.#waiting[this.#next] = ''
      this.#next += 1
      this.#waitingBytes -= Buffer.byteLength(frame)
      this.#go(frame)
    }
    if (this.#next < this.#waiting.length && this.#next < 1_024) return
    this.#waiting = this.#waiting.slice(this.#next)
    this.#next = 0
  }
}
