/** A promise with its ends in hand. Nobody waiting is no error: a rejection is then silent. */
export class Latch<T = void> {
  readonly promise: Promise<T>
  resolve!: (value: T) => void
  reject!: (error: unknown) => void
  #settled = false

  constructor() {
    this.promise = new Promise<T>((resolve, reject) => {
      this.resolve = (value) => {
        this.#settled = true
        resolve(value)
      }
      this.reject = (error) => {
        this.#settled = true
        reject(error)
      }
    })
    this.promise.catch(() => undefined)
  }

  get settled(): boolean {
    return this.#settled
  }
}

/**
 * Waits at most `timeoutMs` for a promise.
 * @returns its value, or undefined when the time is over (the promise goes on by itself).
 */
export async function within<T>(timeoutMs: number, promise: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined
  const over = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), timeoutMs)
  })
  try {
    return await Promise.race([promise, over])
  } finally {
    clearTimeout(timer)
  }
}
