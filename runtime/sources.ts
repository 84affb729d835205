/** Source lines of stacks; the same call site comes again and again, so each is traced once until the Worker is loaded anew. */

const KEPT = 500

/** Whoever can tell the line that a stack leads to. */
export interface Tracer {
  readonly reloads: number
  trace(stack: string): Promise<string | undefined>
}

/** Asks the Workers of a session, and remembers what they said. */
export class Sources {
  readonly #tracers: readonly Tracer[]
  #known = new Map<string, string | null>()
  #reloads = -1

  constructor(tracers: readonly Tracer[]) {
    this.#tracers = tracers
  }

  /** The line, or null where none can tell it. */
  async of(stack: string): Promise<string | null> {
    const reloads = this.#tracers.reduce((sum, tracer) => sum + tracer.reloads, 0)
    if (reloads !== this.#reloads || this.#known.size > KEPT) {
      this.#reloads = reloads
      this.#known = new Map()
    }
    const known = this.#known.get(stack)
    if (known !== undefined) return known
    const told = await Promise.all(this.#tracers.map((tracer) => tracer.trace(stack)))
    const source = told.find((one) => one !== undefined) ?? null
    this.#known.set(stack, source)
    return source
  }
}
