import { randomUUID } from 'node:crypto'
import { describe } from 'node:test'
import { contractUrl, useContract } from './session.ts'

/** What may be compared with assert.deepEqual: the sentence's own JSON. */
// biome-ignore lint/suspicious/noExplicitAny: each sentence has its own shape, which the test states by comparing it whole
export type Told = any

export type Args = Readonly<Record<string, string>>

/** The instance went away while it was asked, as when it is aborted. */
export class InstanceLost extends Error {}

/** A Durable Object of the contract's Worker, new unless a name is given. Disposing it destroys its container. */
export class ContractObject implements AsyncDisposable {
  readonly className: string
  readonly name: string
  readonly base: Promise<string>

  constructor(className: string, name: string = randomUUID(), base: Promise<string> = contractUrl()) {
    this.className = className
    this.name = name
    this.base = base
  }

  /** Runs one sentence in a request of its own and leaves the container as it is. */
  run(topic: string, sentence: string, args: Args = {}, options: { inside?: boolean } = {}): Promise<Told> {
    return this.#run(topic, sentence, { ...args, keep: '1', ...(options.inside ? { inside: '1' } : {}) })
  }

  /** Runs one sentence and destroys the container after it. */
  once(topic: string, sentence: string, args: Args = {}, options: { inside?: boolean } = {}): Promise<Told> {
    return this.#run(topic, sentence, { ...args, ...(options.inside ? { inside: '1' } : {}) })
  }

  async #run(topic: string, sentence: string, query: Args): Promise<Told> {
    // POST, because a GET may be asked again by what stands between when it takes long.
    const answer = await this.fetch(`run/${topic}/${sentence}?${new URLSearchParams(query)}`, { method: 'POST' })
    const text = await answer.text()
    if (!answer.ok) throw new Error(`${topic}.${sentence}: ${answer.status} ${text.slice(0, 500)}`)
    const told = JSON.parse(text) as { value?: unknown; error?: { name: string; message: string }; lost?: string }
    if (told.lost !== undefined) throw new InstanceLost(told.lost)
    if (told.error) throw new Error(`${topic}.${sentence}: ${told.error.name}: ${told.error.message}`)
    return told.value
  }

  /** A request of the Worker about this object. */
  async fetch(path: string, init?: RequestInit): Promise<Response> {
    return fetch(`${await this.url()}/${path}`, init)
  }

  async url(): Promise<string> {
    return `${await this.base}/${this.className}/${encodeURIComponent(this.name)}`
  }

  /** Makes the instance go away, and says when it has. */
  async abort(topic = 'life'): Promise<void> {
    await this.run(topic, 'abort').then(
      () => {
        throw new Error('the instance was not aborted')
      },
      (error) => {
        if (!(error instanceof InstanceLost)) throw error
      },
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.run('life', 'destroy')
  }
}

/** Asks a new object of a class for one sentence. */
export type Ask = (sentence: string, args?: Args) => Promise<Told>

/** How many sentences run at once: each has an object of its own. */
const CONCURRENCY = 4

/**
 * Tests of one topic, each run twice: as an ordinary request of the object, and with the object inside blockConcurrencyWhile,
 * where nothing but what the block waits for reaches it.
 */
export function about(title: string, topic: string, tests: (ask: Ask) => void, className = 'Plain'): void {
  useContract()
  for (const inside of [false, true]) {
    const ask: Ask = (sentence, args) => new ContractObject(className).once(topic, sentence, args, { inside })
    describe(inside ? `${title}, inside blockConcurrencyWhile` : title, { concurrency: CONCURRENCY }, () => tests(ask))
  }
}

/** Tests of one topic, run once. */
export function aboutOnce(title: string, tests: () => void): void {
  useContract()
  describe(title, { concurrency: CONCURRENCY }, tests)
}

/** Waits until a condition holds, 15 seconds at most. */
export async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 15_000
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`waited fifteen seconds until ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
