/** The engine's events, opened again whenever the stream breaks. */
import type { Readable } from 'node:stream'
import { Latch } from '../base/latch.ts'
import { type EngineEvent, Event } from './answers.ts'
import { jsonLines } from './json-lines.ts'
import type { Call } from './transport.ts'

export interface EventOptions {
  /** Only of things with all these labels (`name` or `name=value`). */
  readonly labels?: readonly string[]
  /** Only these actions: `die`, `oom`, `destroy`, `stop`, `start`, `kill`, … */
  readonly actions?: readonly string[]
  /** `container` when left out. */
  readonly types?: readonly string[]
  /** In the engine's order, each once. */
  onEvent(event: EngineEvent): void
  /**
   * `true` when events come (again), `false` when the stream broke. After a break the engine may have been started anew and have forgotten
   * what happened: look at what is there.
   */
  onConnected?(connected: boolean): void
  /** Between attempts; a test has its own. Milliseconds. */
  readonly retryMs?: number
}

/** Owned by who asked for it. */
export interface Subscription {
  /** Resolves at the first connection, or when disposed before it. */
  readonly ready: Promise<void>
  dispose(): void
}

/** Events remembered so that none is told twice after a reconnect. */
const REMEMBERED = 256

const RETRY_MS = 250

/** Subscribes with `send`. Never rejects; a lost engine is told by `onConnected`. */
export function subscribe(
  send: (call: Call) => Promise<Readable & { headers: Record<string, unknown> }>,
  options: EventOptions,
): Subscription {
  const end = new AbortController()
  const ready = new Latch()
  void run(send, options, end.signal, ready.resolve)
  return {
    ready: ready.promise,
    dispose: () => {
      end.abort()
      ready.resolve()
    },
  }
}

async function run(
  send: (call: Call) => Promise<Readable & { headers: Record<string, unknown> }>,
  options: EventOptions,
  signal: AbortSignal,
  ready: () => void,
): Promise<void> {
  const filters = {
    type: options.types ?? ['container'],
    ...(options.labels ? { label: options.labels } : {}),
    ...(options.actions ? { event: options.actions } : {}),
  }
  const seen = new Set<string>()
  // By the engine's clock, which need not be ours.
  let since: number | undefined
  while (!signal.aborted) {
    try {
      const response = await send({
        method: 'GET',
        path: '/events',
        query: { filters, since: since === undefined ? undefined : (since / 1000).toFixed(3) },
        doing: 'tell of events',
        signal,
      })
      since ??= Date.parse(String(response.headers.date)) || undefined
      options.onConnected?.(true)
      ready()
      for await (const value of jsonLines(response)) {
        if (signal.aborted) return
        const parsed = Event.safeParse(value)
        if (!parsed.success) continue
        const event = parsed.data
        const mark = `${event.at} ${event.action} ${event.id}`
        if (seen.has(mark)) continue
        seen.add(mark)
        if (seen.size > REMEMBERED) seen.delete(seen.values().next().value as string)
        since = Math.max(since ?? 0, Math.floor(event.at))
        options.onEvent(event)
      }
    } catch {
      // Whatever broke the stream, the answer is to open it again.
    }
    if (signal.aborted) return
    options.onConnected?.(false)
    await pause(options.retryMs ?? RETRY_MS, signal)
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms)
    function done() {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    signal.addEventListener('abort', done)
  })
}
