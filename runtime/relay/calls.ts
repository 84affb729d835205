/** Calls with answers over a message port, both ways, and news one way. */
import { type ErrorCode, MoorageError } from '../protocol/errors.ts'

/** What both a Worker and a parentPort can do. */
export interface Port {
  postMessage(value: unknown): void
  on(event: 'message', listener: (value: unknown) => void): unknown
}

type Message =
  | { kind: 'ask'; id: number; name: string; args: unknown }
  | { kind: 'answer'; id: number; value: unknown }
  | {
      kind: 'error'
      id: number
      error: {
        name: string
        message: string
        code?: string
        advice?: readonly string[]
        detail?: Record<string, unknown>
      }
    }
  | { kind: 'news'; value: unknown }

// biome-ignore lint/suspicious/noExplicitAny: the parameter of any function type; the callers' types are exact.
type Functions = { [name: string]: (args: any) => unknown }
/** The functions of the other side, each answered by a promise. */
export type Asked<F> = {
  [K in keyof F]: F[K] extends (args: infer A) => infer R ? (args: A) => Promise<Awaited<R>> : never
}
/** What this side offers: the same functions, at once or by a promise. */
export type Offered<F> = {
  [K in keyof F]: F[K] extends (args: infer A) => infer R ? (args: A) => R | Promise<R> : never
}

/**
 * Joins two sides: `offered` answers the other's calls; the result calls the other's functions. An error crosses with its
 * name, message and code. Ending the port is the owner's: `fail` rejects all that still waits.
 */
export function joinCalls<Theirs extends object, Ours extends object>(
  port: Port,
  offered: Offered<Ours>,
  onNews: (value: unknown) => void,
): { ask: Asked<Theirs>; tell: (value: unknown) => void; fail: (error: Error) => void } {
  const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>()
  const functions = offered as unknown as Functions
  let last = 0
  let failed: Error | undefined

  port.on('message', (raw) => {
    const message = raw as Message
    if (message.kind === 'news') onNews(message.value)
    else if (message.kind === 'ask') void answer(message)
    else {
      const waiter = waiting.get(message.id)
      waiting.delete(message.id)
      if (message.kind === 'answer') waiter?.resolve(message.value)
      else waiter?.reject(revived(message.error))
    }
  })

  async function answer(message: Message & { kind: 'ask' }): Promise<void> {
    let reply: Message
    try {
      const f = Object.hasOwn(functions, message.name) ? functions[message.name] : undefined
      if (f === undefined) throw new Error(`No such call: ${message.name}`)
      reply = { kind: 'answer', id: message.id, value: await f(message.args) }
    } catch (error) {
      reply = { kind: 'error', id: message.id, error: flattened(error) }
    }
    try {
      port.postMessage(reply)
    } catch (error) {
      // The answer is nothing that can cross.
      port.postMessage({ kind: 'error', id: message.id, error: flattened(error) } satisfies Message)
    }
  }

  const ask = new Proxy({} as Asked<Theirs>, {
    get: (_, name) => (args: unknown) => {
      if (failed !== undefined) return Promise.reject(failed)
      const id = ++last
      return new Promise((resolve, reject) => {
        waiting.set(id, { resolve, reject })
        port.postMessage({ kind: 'ask', id, name: String(name), args } satisfies Message)
      })
    },
  })
  return {
    ask,
    tell: (value) => port.postMessage({ kind: 'news', value } satisfies Message),
    fail: (error) => {
      failed = error
      for (const { reject } of waiting.values()) reject(error)
      waiting.clear()
    },
  }
}

function flattened(error: unknown): (Message & { kind: 'error' })['error'] {
  if (error instanceof MoorageError)
    return { name: error.name, message: error.message, code: error.code, advice: error.advice, detail: error.detail }
  return error instanceof Error
    ? { name: error.name, message: error.message }
    : { name: 'Error', message: String(error) }
}

function revived(flat: (Message & { kind: 'error' })['error']): Error {
  if (flat.code !== undefined)
    return new MoorageError(flat.code as ErrorCode, flat.message, {
      advice: flat.advice ?? [],
      detail: flat.detail ?? {},
    })
  return Object.assign(new Error(flat.message), { name: flat.name })
}
