/** Lifetimes: whatever holds something open is owned by one scope; closing the scope closes it all, last first. */

/** Ends something that was opened. */
export type Close = () => void | Promise<void>

/** Owns what was opened. A scope may own others. */
export class Scope {
  readonly #owned: Close[] = []
  #closing: Promise<void> | undefined

  /** True once close() was called. */
  get closed(): boolean {
    return this.#closing !== undefined
  }

  /**
   * Takes over something that must be closed; returns a function that gives it back unclosed. Added late, after close(), it
   * is closed at once, and its failure is left to the caller's own error handling.
   */
  own(close: Close): () => void {
    if (this.#closing !== undefined) {
      this.#closing = Promise.allSettled([this.#closing, Promise.resolve().then(close)]).then(() => undefined)
      return () => undefined
    }
    this.#owned.push(close)
    return () => {
      const at = this.#owned.indexOf(close)
      if (at >= 0) this.#owned.splice(at, 1)
    }
  }

  /**
   * Closes all, last owned first, each after the one before. Every one is closed even if others fail.
   * Called again it gives the same promise.
   * @throws AggregateError with what failed, after all were closed.
   */
  close(): Promise<void> {
    this.#closing ??= this.#closeAll()
    return this.#closing
  }

  async #closeAll(): Promise<void> {
    const failures: unknown[] = []
    for (let close = this.#owned.pop(); close !== undefined; close = this.#owned.pop()) {
      try {
        await close()
      } catch (error) {
        failures.push(error)
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, 'Not all could be closed.')
  }
}
