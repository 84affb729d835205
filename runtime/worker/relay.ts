/** The isolate's way to the relay. */
import { env } from 'cloudflare:workers'
import { RELAY } from '../protocol/worker.ts'

/**
 * fetch(), for requests to the relay and no others. Over the binding it spares them the Worker of wrangler's that every other
 * fetch goes through. Taken before a Worker can replace it; the binding is no affair of the Worker's, and out of its sight.
 * Without the binding, as with the flag `disallow_importable_env`, it is the global one.
 */
export const fetch: typeof globalThis.fetch = take(env as Record<string, unknown>)

function take(env: Record<string, unknown>): typeof globalThis.fetch {
  const relay = env[RELAY] as { fetch: typeof globalThis.fetch } | undefined
  delete env[RELAY]
  return relay === undefined ? globalThis.fetch.bind(globalThis) : relay.fetch.bind(relay)
}
