import type { Prepared } from './prepared.ts'

/** How many times in a row a warm container may fail before it is left to the next start to say why. */
const TRIES = 2

export interface WarmOptions {
  /** Makes a container of the class's image as it is now. */
  prepare(): Promise<Prepared>
  onProblem(error: unknown): void
}

/** The warm container of a class: one is kept ready, taken by a start, and made up for in the background. */
export class WarmContainer {
  readonly #options: WarmOptions
  #ready: Promise<Prepared | undefined> | undefined
  #held: Prepared | undefined
  #closed = false
  #failures = 0

  constructor(options: WarmOptions) {
    this.#options = options
  }

  /** Forgets earlier failures, as what caused them is over. */
  revive(): void {
    this.#failures = 0
    this.warm()
  }

  /** Makes one, unless there is one. */
  warm(): void {
    if (this.#closed || this.#ready !== undefined || this.#failures >= TRIES) return
    const making = this.#options.prepare().then(
      async (prepared) => {
        this.#failures = 0
        if (this.#taken.has(making)) return prepared
        if (this.#ready !== making) {
          await prepared.close().catch(this.#options.onProblem)
          return undefined
        }
        this.#held = prepared
        void prepared.exit.catch(() => undefined).then(() => this.#ended(prepared))
        return prepared
      },
      (error: unknown) => {
        this.#failures += 1
        if (this.#ready === making) this.#ready = undefined
        if (!this.#closed) this.#options.onProblem(error)
        return undefined
      },
    )
    this.#ready = making
  }

  readonly #taken = new WeakSet<Promise<Prepared | undefined>>()

  /**
   * The warm container, also one that is just being made, or undefined where there is none: then the caller makes its own.
   * The caller owns what it gets; call warm() when the start is over.
   */
  async take(): Promise<Prepared | undefined> {
    const ready = this.#ready
    this.#ready = undefined
    this.#held = undefined
    if (ready === undefined) return undefined
    this.#taken.add(ready)
    return ready
  }

  /** Throws away the one that is there or being made, as its image is old. Resolves when it is removed. */
  async discard(): Promise<void> {
    this.#failures = 0
    const ready = this.#ready
    this.#ready = undefined
    this.#held = undefined
    await (await ready)?.close()
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.discard()
  }

  /** A warm container that ended by itself (someone removed it) is made up for. */
  #ended(prepared: Prepared): void {
    if (this.#held !== prepared) return
    this.#ready = undefined
    this.#held = undefined
    void prepared.close().catch(this.#options.onProblem)
    this.warm()
  }
}
