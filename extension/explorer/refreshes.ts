/** Which rows VS Code is told of, and when: however much changes, only so much work at a time. Takes the time as a value. */
import type { Target } from './target.ts'

/**
 * Between two calls, in ms. VS Code waits until 200 ms have passed without one before it takes up a call that is not the first: if
 * they came any faster, the view would stand still for as long as they come.
 */
export const REFRESH_MS = 250

/** VS Code asks for all rows below one it is told of; so one with many is told more seldom. In ms for each of them. */
const MS_PER_CHILD = 2

/** So many rows are told at once, in 0.3 s all of 300: VS Code compares each of them with each. */
const AT_ONCE = 250

/** Collects changes until they are told. `undefined` stands for the list of roots, and all below. */
export class Refreshes {
  readonly #waiting = new Set<Target | undefined>()
  readonly #toldAt = new Map<Target | undefined, number>()
  #lastMs = Number.NEGATIVE_INFINITY

  add(changed: readonly (Target | undefined)[]): void {
    for (const one of changed) this.#waiting.add(one)
  }

  /** Has everything told at the next call: someone waits for it. */
  hurry(): void {
    this.#toldAt.clear()
  }

  /** When the next ones are due, in ms; `undefined` if none wait. */
  dueAt(children: (target: Target | undefined) => number): number | undefined {
    let due: number | undefined
    for (const one of this.#waiting) {
      const at = this.#due(one, children)
      if (due === undefined || at < due) due = at
    }
    return due
  }

  /** Those that are due. What lies below `undefined` is told with it. */
  take(nowMs: number, children: (target: Target | undefined) => number): readonly (Target | undefined)[] {
    const due: (Target | undefined)[] = []
    for (const one of this.#waiting) {
      if (due.length < AT_ONCE && this.#due(one, children) <= nowMs) due.push(one)
    }
    if (due.length === 0) return due
    this.#lastMs = nowMs
    const isAll = due.includes(undefined)
    if (isAll) this.#waiting.clear()
    for (const one of due) {
      this.#waiting.delete(one)
      // Rows with few below them are due as soon as any: no need to know when they were told.
      if (children(one) * MS_PER_CHILD > REFRESH_MS) this.#toldAt.set(one, nowMs)
    }
    return isAll ? [undefined] : due
  }

  #due(one: Target | undefined, children: (target: Target | undefined) => number): number {
    const toldAt = this.#toldAt.get(one)
    const own = toldAt === undefined ? Number.NEGATIVE_INFINITY : toldAt + children(one) * MS_PER_CHILD
    return Math.max(this.#lastMs + REFRESH_MS, own)
  }
}
