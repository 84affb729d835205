/** Usage and ports of running containers, while someone watches. */
import { cpuMs, memoryBytes, portsOf } from './object/usage.ts'
import type { Happening } from './protocol/events.ts'
import type { ContainerId, ObjectKey, PortModel, Usage } from './protocol/model.ts'
import type { Look } from './protocol/relay.ts'

/** Each container is looked at this often, one after the other over the whole of it. */
const PERIOD_MS = 2_000
/** Shares of a core are told in thousandths, and not over less than this. */
const SHARES = 1_000
const SHORTEST_MS = 400

/** A container that runs. */
export interface WatchedContainer {
  readonly object: ObjectKey
  readonly container: ContainerId
  /** When its app began to run. */
  readonly since: number
}

export interface WatchingOptions {
  /** Those that run now. */
  containers(): readonly WatchedContainer[]
  look(watched: WatchedContainer): Promise<Look>
  report(happening: Happening): void
  /** Told every two seconds while someone watches. */
  onRound?(): void
  readonly now?: () => number
}

/** What was seen of a container last. */
interface Seen {
  readonly container: ContainerId
  readonly at: number
  readonly cpuMs: number
  readonly usage: Usage | undefined
  readonly ports: readonly PortModel[] | undefined
}

/** Looks at one container at a time, never at two, and at none while nobody watches. */
export class Watching {
  readonly #options: WatchingOptions
  readonly #now: () => number
  readonly #seen = new Map<ObjectKey, Seen>()
  #watchers = 0
  #timer: NodeJS.Timeout | undefined
  #looking = false
  #round: readonly WatchedContainer[] = []
  #next = 0
  #roundBegan = 0

  constructor(options: WatchingOptions) {
    this.#options = options
    this.#now = options.now ?? Date.now
  }

  /** Watches until the function returned is called. */
  watch(): () => void {
    this.#watchers += 1
    if (this.#timer === undefined && !this.#looking) this.#wait(0)
    let over = false
    return () => {
      if (over) return
      over = true
      this.#watchers -= 1
      if (this.#watchers === 0) this.#rest()
    }
  }

  /** Nobody watches any more, whoever has not said so. */
  close(): void {
    this.#watchers = 0
    this.#rest()
  }

  #wait(ms: number): void {
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      void this.#step()
    }, ms)
  }

  /** Looks at the next one, and waits for the turn of the one after it. */
  async #step(): Promise<void> {
    const due = this.#round[this.#next]
    if (due === undefined) this.#beginRound()
    const watched = due ?? this.#round[0]
    if (watched !== undefined) {
      this.#next += 1
      this.#looking = true
      await this.#look(watched).catch(() => undefined)
      this.#looking = false
    }
    if (this.#watchers === 0) return
    const turn = this.#round.length === 0 ? 1 : this.#next / this.#round.length
    this.#wait(Math.max(0, this.#roundBegan + turn * PERIOD_MS - this.#now()))
  }

  #beginRound(): void {
    this.#options.onRound?.()
    this.#round = this.#options.containers()
    this.#next = 0
    this.#roundBegan = this.#now()
    const there = new Set(this.#round.map(({ object }) => object))
    for (const object of this.#seen.keys()) if (!there.has(object)) this.#seen.delete(object)
  }

  async #look(watched: WatchedContainer): Promise<void> {
    const { object, container, since } = watched
    const looked = await this.#options.look(watched)
    // It may have ended meanwhile, and another be there in its place.
    const present = this.#options.containers().some((one) => one.container === container)
    if (this.#watchers === 0 || !present) return
    const known = this.#seen.get(object)
    const before = known?.container === container ? known : undefined
    const at = this.#now()
    const cpu = cpuMs(looked.cpu)
    const memory = memoryBytes(looked.memory, looked.memoryStat)
    const elapsedMs = at - (before?.at ?? since)
    const measured = cpu !== undefined && memory !== undefined && elapsedMs >= SHORTEST_MS
    const usage: Usage | undefined = measured
      ? { cpu: share(cpu - (before?.cpuMs ?? 0), elapsedMs), memoryBytes: memory }
      : before?.usage
    const ports = portsOf(looked) ?? before?.ports
    if (measured || before === undefined) {
      // Before the first measure the share is that since its start.
      this.#seen.set(object, { container, at: measured ? at : since, cpuMs: measured ? cpu : 0, usage, ports })
    } else this.#seen.set(object, { ...before, ports })
    if (same(usage, before?.usage) && same(ports, before?.ports)) return
    this.#options.report({ type: 'watched', object, usage, ports })
  }

  /** What is not measured any more is not said any more. */
  #rest(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#round = []
    this.#next = 0
    const told = [...this.#seen].filter(([, { usage, ports }]) => usage !== undefined || ports !== undefined)
    this.#seen.clear()
    for (const [object] of told) this.#options.report({ type: 'watched', object, usage: undefined, ports: undefined })
  }
}

function share(usedMs: number, elapsedMs: number): number {
  return Math.max(0, Math.round((usedMs / elapsedMs) * SHARES) / SHARES)
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}
