/**
 * What an instance knows of its container's lives: whether one runs, and how it ended. Pure: no socket, no clock.
 * The rules of monitor() and destroy(value) are here (semantics.md, Lifecycle).
 */
import type { Outcome } from '../protocol/worker.ts'
import { exitError, refusalError } from './check.ts'

/** One life, from start() or adoption until the next start(). */
export interface Life {
  /** The isolate's count; what the wire calls it. */
  readonly number: number
  /** The SEQ of its start(): only an answer to a later request can say anything about it. 0 where it was adopted. */
  readonly since: number
  running: boolean
  /** How it ended, once that is known. */
  outcome: Outcome | undefined
  /** Set where destroy() was given a value; taken by the first monitor() that tells the end. */
  reason: { readonly value: unknown } | undefined
}

/** The lives of one object's container, as one instance of it sees them. */
export class Lives {
  #life: Life | undefined
  #last = 0

  /** The present life, or the last one; undefined before any start. */
  get present(): Life | undefined {
    return this.#life
  }

  get running(): boolean {
    return this.#life?.running ?? false
  }

  /** Takes over what the runtime says of an object that was here before: its container may run. Earlier lives are forgotten. */
  adopt(number: number, running: boolean): Life | undefined {
    this.#last = Math.max(this.#last, number)
    this.#life = running ? newLife(number, 0) : undefined
    return this.#life
  }

  /** A new life. The value of an earlier destroy() is forgotten with the life it belonged to. */
  begin(since: number): Life {
    this.#last += 1
    this.#life = newLife(this.#last, since)
    return this.#life
  }

  /** A life has ended like this; says nothing about a later one. */
  ended(life: Life, outcome?: Outcome): void {
    life.running = false
    life.outcome ??= outcome
  }

  /** An answer to the request numbered `seq` said whether the container runs. Only "no" is news, and only to the life it is about. */
  heard(seq: number, running: boolean): void {
    if (!running && this.#life && seq >= this.#life.since) this.#life.running = false
  }

  /** destroy(value): the first value counts; undefined is none, null is one. */
  destroying(value: unknown): void {
    const life = this.#life
    if (life?.running && life.reason === undefined && value !== undefined) life.reason = { value }
  }

  /**
   * What one caller of monitor() is told about the end of `life`: returns for exit code 0, else throws.
   * The value of destroy() goes to the first caller only, the others get the exit code.
   */
  settle(life: Life, outcome: Outcome): void {
    this.ended(life, outcome)
    const { reason } = life
    life.reason = undefined
    if (outcome.failure) throw refusalError(outcome.failure)
    if (reason) throw reason.value
    if (outcome.exitCode !== 0) throw exitError(outcome.exitCode ?? 1)
  }
}

function newLife(number: number, since: number): Life {
  return { number, since, running: true, outcome: undefined, reason: undefined }
}
