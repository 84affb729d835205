import { Latch } from '../base/latch.ts'
import type { InstanceId } from '../protocol/model.ts'
import type { Outcome } from '../protocol/worker.ts'

/** What an instance is told that is no longer known. */
export const LOST: Outcome = { life: 0, failure: { message: 'Network connection lost.' } }

/** One instance of an object that is in memory. */
export class Instance {
  readonly id: InstanceId
  /** Its socket was closed by us, as it was idle: the platform may evict it now. */
  parked = false
  readonly #outcomes = new Map<number, Latch<Outcome>>()

  constructor(id: InstanceId) {
    this.id = id
  }

  /** How a life ended, by the isolate's own count of them; it may ask before the start that it belongs to was taken up. */
  outcome(life: number): Latch<Outcome> {
    const known = this.#outcomes.get(life)
    if (known !== undefined) return known
    const outcome = new Latch<Outcome>()
    this.#outcomes.set(life, outcome)
    return outcome
  }

  /** It is gone: nobody waits any more. */
  lost(): void {
    for (const outcome of this.#outcomes.values()) outcome.resolve(LOST)
  }
}
