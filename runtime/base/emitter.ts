/** Tells listeners, in the order in which they came. */
export class Emitter<T> {
  readonly #listeners = new Set<(value: T) => void>()

  /** Adds a listener; the function returned removes it. The same function is kept once. */
  on(listener: (value: T) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Tells all. A listener that throws does not keep the others from hearing; the first error is thrown at the end. */
  emit(value: T): void {
    let failure: { error: unknown } | undefined
    for (const listener of [...this.#listeners]) {
      try {
        listener(value)
      } catch (error) {
        failure ??= { error }
      }
    }
    if (failure !== undefined) throw failure.error
  }
}
