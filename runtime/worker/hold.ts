/**
 * A stateless entrypoint of ours in the Worker. What must not wait behind an object's input gate runs in it: the end of a
 * container is heard here even while the object sits in blockConcurrencyWhile and only looks at `running`.
 */
import { WorkerEntrypoint } from 'cloudflare:workers'
import { type EntryOptions, INSTANCE, LIFE, type Outcome, TOKEN } from '../protocol/worker.ts'
import { fetch } from './relay.ts'

/**
 * Who waits for the end of which life. Object and entrypoint share the isolate and so its memory, but not each other's I/O:
 * only plain values may go from one to the other, and only through here.
 */
const waiting = new Map<string, (outcome: Outcome) => void>()

/** The part of MoorageHold that an object calls. */
export interface Hold {
  watch(instance: string, life: number): Promise<void>
}

/** Hears the end of a life, whatever gate is closed. Resolves when the wait is over, for whatever reason. */
export async function watchWith(
  hold: Hold,
  instance: string,
  life: number,
  ended: (outcome: Outcome) => void,
): Promise<void> {
  const key = `${instance}/${life}`
  waiting.set(key, ended)
  try {
    await hold.watch(instance, life)
  } finally {
    waiting.delete(key)
  }
}

/** Makes the class that the generated entry exports as MoorageHold. */
export function moorageHold(options: EntryOptions): typeof WorkerEntrypoint {
  class MoorageHold extends WorkerEntrypoint implements Hold {
    override fetch(): Response {
      return new Response(null, { status: 404 })
    }

    async watch(instance: string, life: number): Promise<void> {
      try {
        const headers = { [TOKEN]: options.token, [INSTANCE]: instance, [LIFE]: `${life}` }
        const response = await fetch(`${options.base}/end`, { headers })
        if (response.status === 200) waiting.get(`${instance}/${life}`)?.((await response.json()) as Outcome)
      } catch {
        // Broken off, the instance is evicted or the session over: nobody is left to tell, and no log shall say that it failed.
      }
    }
  }
  return MoorageHold as unknown as typeof WorkerEntrypoint
}
