/** A stateless entrypoint of ours in the Worker: what must not wait behind an object's input gate runs in it. */
import { WorkerEntrypoint } from 'cloudflare:workers'
import type { EntryOptions } from '../protocol/worker.ts'

/** Makes the class that the generated entry exports as MoorageHold. */
export function moorageHold(options: EntryOptions): typeof WorkerEntrypoint {
  class MoorageHold extends WorkerEntrypoint {
    override fetch(): Response {
      return new Response(null, { status: 404 })
    }
  }
  void options
  return MoorageHold as unknown as typeof WorkerEntrypoint
}
