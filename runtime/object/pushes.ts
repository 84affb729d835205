import { Latch } from '../base/latch.ts'
import { MoorageError } from '../protocol/errors.ts'
import type { Push } from '../protocol/worker.ts'

type WithoutNumber<P> = P extends Push ? Omit<P, 'push'> : never
/** What an instance is asked for. */
export type Asked = WithoutNumber<Push>

/** What one object's instances were asked to run, until they say that it is over. */
export class Pushes {
  readonly #send: (args: { instance: string; push: Push }) => Promise<void>
  readonly #waiting = new Map<number, { readonly instance: string; readonly over: Latch }>()
  #last = 0

  constructor(send: (args: { instance: string; push: Push }) => Promise<void>) {
    this.#send = send
  }

  /** Has a hook run in an instance; resolves when it is over. @throws MoorageError with what it threw */
  async run(instance: string, asked: Asked): Promise<void> {
    this.#last += 1
    const push = this.#last
    const over = new Latch()
    this.#waiting.set(push, { instance, over })
    try {
      await this.#send({ instance, push: { push, ...asked } }).catch(() => this.gone(instance))
      await over.promise
    } finally {
      this.#waiting.delete(push)
    }
  }

  /** An instance says that a push is over. */
  ran(instance: string, push: number, error: string | undefined): void {
    const waiting = this.#waiting.get(push)
    if (waiting?.instance !== instance) return
    if (error === undefined) waiting.over.resolve()
    else waiting.over.reject(new MoorageError('worker-failed', error))
  }

  /** An instance is gone, and whatever it was asked with it. */
  gone(instance: string): void {
    for (const { instance: asked, over } of this.#waiting.values()) {
      if (asked === instance) over.reject(new MoorageError('object-asleep', 'The object went out of memory meanwhile.'))
    }
  }
}
