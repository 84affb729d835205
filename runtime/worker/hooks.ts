/**
 * Tells the runtime when the lifecycle hooks of a user's instance begin and end. The instance behaves as before:
 * arguments, this, results and errors pass through.
 */
import type { Note } from '../protocol/worker.ts'

/** The hooks that are told, and what is worth saying of their arguments. */
const HOOKS: Readonly<Record<string, (args: readonly unknown[]) => string | undefined>> = {
  onStart: () => undefined,
  onStop: ([params]) => {
    const { exitCode, reason } = (params ?? {}) as { exitCode?: unknown; reason?: unknown }
    return exitCode === undefined ? undefined : `exit code ${exitCode}${reason === undefined ? '' : `, ${reason}`}`
  },
  onError: ([error]) => words(error),
  onActivityExpired: () => undefined,
  alarm: ([info]) => {
    const { isRetry, retryCount } = (info ?? {}) as { isRetry?: boolean; retryCount?: number }
    return isRetry ? `retry ${retryCount}` : undefined
  },
  fetch: ([request]) => (request instanceof Request ? `${request.method} ${new URL(request.url).pathname}` : undefined),
}

/** Longest detail or error of a note, in characters: it is a line in a list. */
const MAX_WORDS = 300

/** Reports hook calls of one instance, numbered from 1. */
export class Hooks {
  readonly #send: (note: Note) => void
  readonly #placed = new WeakSet<object>()
  #calls = 0

  constructor(send: (note: Note) => void) {
    this.#send = send
  }

  /** Puts a reporting function in the place of each hook that the instance has: an own property that can be redefined. */
  wrap(instance: object): void {
    for (const [hook, describe] of Object.entries(HOOKS)) {
      const original: unknown = Reflect.get(instance, hook)
      if (typeof original !== 'function') continue
      const own = Object.getOwnPropertyDescriptor(instance, hook)
      if (own && !own.configurable) continue
      const run = (self: unknown, args: unknown[]) =>
        this.run(hook, describe(args), () => Reflect.apply(original, self, args) as unknown)
      const value = function (this: unknown, ...args: unknown[]) {
        return run(this, args)
      }
      Object.defineProperty(value, 'name', { value: original.name, configurable: true })
      Object.defineProperty(value, 'length', { value: original.length, configurable: true })
      if (!own) this.#placed.add(value)
      Object.defineProperty(instance, hook, {
        value,
        writable: true,
        configurable: true,
        enumerable: own?.enumerable ?? false,
      })
    }
  }

  /** Whether a value is a function that wrap() put in the place of a method. */
  placed(value: unknown): boolean {
    return typeof value === 'function' && this.#placed.has(value)
  }

  /** Runs one call of a hook between its two notes. */
  run<T>(hook: string, detail: string | undefined, body: () => T): T {
    const call = ++this.#calls
    const begun = Date.now()
    this.#send({ note: 'hook', hook, edge: 'begin', call, ...(detail !== undefined && { detail }) })
    const end = (error?: string) => {
      this.#send({
        note: 'hook',
        hook,
        edge: 'end',
        call,
        tookMs: Date.now() - begun,
        ...(error !== undefined && { error }),
      })
    }
    let result: T
    try {
      result = body()
    } catch (error) {
      end(words(error))
      throw error
    }
    if (result instanceof Promise) {
      result.then(
        () => end(),
        (error: unknown) => end(words(error)),
      )
    } else end()
    return result
  }
}

/** What an error says, for a line in a list. */
export function words(error: unknown): string {
  const text =
    error instanceof Error ? error.message : typeof error === 'string' ? error : Object.prototype.toString.call(error)
  return text.length > MAX_WORDS ? `${text.slice(0, MAX_WORDS)}…` : text
}
