import { randomUUID } from 'node:crypto'
import { after, describe } from 'node:test'
import { contractUrl, useContract } from './session.ts'

/** What may be compared with assert.deepEqual: the sentence's own JSON. */
// biome-ignore lint/suspicious/noExplicitAny: each sentence has its own shape, which the test states by comparing it whole
export type Told = any

export type Args = Readonly<Record<string, string>>

/** Where an object waits with its input gate closed, and how that is called. */
export const WAITS = { block: 'blockConcurrencyWhile', transaction: 'a storage transaction' } as const
export type Inside = keyof typeof WAITS

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
  run(topic: string, sentence: string, args: Args = {}, inside?: Inside): Promise<Told> {
    return this.#run(topic, sentence, { ...args, keep: '1', ...(inside === undefined ? {} : { inside }) })
  }

  /** Runs one sentence and destroys the container after it. */
  once(topic: string, sentence: string, args: Args = {}, inside?: Inside): Promise<Told> {
    return this.#run(topic, sentence, { ...args, ...(inside === undefined ? {} : { inside }) })
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

/** Asks an object for one sentence. */
export type Ask = (sentence: string, args?: Args) => Promise<Told>

/** How many sentences run at once. */
const CONCURRENCY = 4

/**
 * Tests of one topic, run as an ordinary request of the object, and again where nothing but what is waited for reaches it:
 * inside blockConcurrencyWhile, or another of WAITS. `ask` takes a new object for each sentence; `together` takes one object
 * for all, whose container runs on, for sentences that leave it as it was.
 */
export function about(
  title: string,
  topic: string,
  tests: (ask: Ask, together: Ask) => void,
  { className = 'Plain', waits = ['block'] }: { className?: string; waits?: readonly Inside[] } = {},
): void {
  useContract()
  for (const inside of [undefined, ...waits]) {
    let shared: ContractObject | undefined
    const ask: Ask = (sentence, args) => new ContractObject(className).once(topic, sentence, args, inside)
    const together: Ask = (sentence, args) => {
      shared ??= new ContractObject(className)
      return shared.run(topic, sentence, args, inside)
    }
    const where = inside === undefined ? '' : `, inside ${WAITS[inside]}`
    describe(`${title}${where}`, { concurrency: CONCURRENCY }, () => {
      after(() => shared?.[Symbol.asyncDispose]())
      tests(ask, together)
    })
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
