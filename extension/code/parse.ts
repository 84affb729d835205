/** The parser, from outside. */
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { Latch } from '../../runtime/base/latch.ts'
import type { Found, ParseAnswer, ParseRequest } from './found.ts'

/** A thread that has had nothing to do for this time ends, in ms: TypeScript takes some 60 MB. */
const IDLE_MS = 120_000

/** Starts its thread with the first file; owned by who made it. */
export class Parser {
  readonly #file: string
  #thread: Worker | undefined
  #next = 1
  readonly #waiting = new Map<number, Latch<Found>>()
  #idle: NodeJS.Timeout | undefined

  /** @param dist the folder with the built files */
  constructor(dist: string) {
    this.#file = join(dist, 'parser.cjs')
  }

  /** @param file its name says what it is written in. Rejects where the thread ends. */
  async parse(file: string, text: string): Promise<Found> {
    const thread = this.#running()
    const id = this.#next++
    const latch = new Latch<Found>()
    this.#waiting.set(id, latch)
    thread.postMessage({ id, file, text } satisfies ParseRequest)
    try {
      return await latch.promise
    } finally {
      clearTimeout(this.#idle)
      this.#idle = setTimeout(() => this.dispose(), IDLE_MS)
      this.#idle.unref()
    }
  }

  dispose(): void {
    clearTimeout(this.#idle)
    void this.#thread?.terminate()
    this.#lost(new Error('The parser has ended.'))
  }

  #running(): Worker {
    if (this.#thread !== undefined) return this.#thread
    const thread = new Worker(this.#file)
    thread.unref()
    thread.on('message', (answer: ParseAnswer) => {
      const latch = this.#waiting.get(answer.id)
      this.#waiting.delete(answer.id)
      if ('found' in answer) latch?.resolve(answer.found)
      else latch?.reject(new Error(answer.error))
    })
    thread.on('error', (error) => this.#lost(error))
    this.#thread = thread
    return thread
  }

  #lost(error: unknown): void {
    this.#thread = undefined
    for (const latch of this.#waiting.values()) latch.reject(error instanceof Error ? error : new Error(String(error)))
    this.#waiting.clear()
  }
}
