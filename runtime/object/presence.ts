/** Which instances of an object are in memory, when the platform would let them go, and when nobody is left for the container. */
import type { InstanceId, ProcessId, Reason } from '../protocol/model.ts'
import { Instance } from './instance.ts'

/** The platform evicts an object this long after its last event (semantics.md, Lifecycle). */
export const EVICT_AFTER_MS = 10_000
/** An open socket keeps an instance in memory; workerd's own ten seconds begin when it is closed. */
export const PARK_AFTER_MS = 1_000
/** An instance that went away may be one that a reload replaces; how long that may take to show. */
const RELOAD_GRACE_MS = 300

/** Longer ones Node takes for none at all. */
const LONGEST_TIMER_MS = 2_147_483_647

export interface PresenceOptions {
  /** Whether a container of the object runs or starts. */
  hasContainer(): boolean
  /** Whether a reload is under way, so that an instance that goes is one that is replaced. */
  reloading(): boolean
  /** An instance is gone, and what it was asked with it. */
  onGone(instance: InstanceId): void
  /** Lets workerd evict an instance. */
  evict(instance: InstanceId): void
  onMemory(memory: 'in-memory' | 'asleep'): void
  /** Nobody is there for the container any more: it ends. */
  end(reason: Reason & { kind: 'abort' | 'eviction' }): Promise<void> | undefined
}

/** The instances of one object. Decides nothing of its container but that it is left alone. */
export class Presence {
  /** How long a container lives on that nobody is there for; undefined: it does not. */
  inactivityMs: number | undefined
  readonly #options: PresenceOptions
  readonly #instances = new Map<string, Instance>()
  #inactivity: NodeJS.Timeout | undefined
  #idle: NodeJS.Timeout | undefined
  #grace: NodeJS.Timeout | undefined
  #eviction: NodeJS.Timeout | undefined
  /** The isolate that the last instance lived in. */
  #isolate: string | undefined
  #open = 0
  #busy = false
  /** Processes that people opened in the container and that run. */
  readonly #people = new Set<ProcessId>()
  /** A person started the container: it stays until an instance is there again, and its rules hold. */
  #held = false
  /** The container would have been evicted but for them. */
  #kept = false
  /** Its instances are to attach again as soon as their events are over. */
  #stale = false

  constructor(options: PresenceOptions) {
    this.#options = options
  }

  /** Whether any is there. */
  get some(): boolean {
    return this.#instances.size > 0
  }

  /** The newest that is in memory and not about to go. */
  get present(): Instance | undefined {
    return [...this.#instances.values()].findLast(({ parked }) => !parked)
  }

  instance(id: string): Instance | undefined {
    return this.#instances.get(id)
  }

  /**
   * An instance is about to attach. Where the one before it went away and the isolate is still the same, it was no reload
   * but ctx.abort(): the container ends first, so that the new instance finds none.
   */
  async arriving(isolate: string | undefined): Promise<void> {
    const aborted = this.#grace !== undefined && isolate !== undefined && isolate === this.#isolate
    this.#isolate = isolate
    this.#endGrace()
    if (aborted && this.inactivityMs === undefined) await this.#options.end({ kind: 'abort' })
  }

  attach(id: InstanceId): Instance {
    this.#endGrace()
    this.#cancelEviction()
    this.#cancelInactivity()
    this.#held = false
    const instance = new Instance(id)
    this.#instances.set(id, instance)
    this.#options.onMemory('in-memory')
    return instance
  }

  /** An instance went away: by our eviction, ctx.abort(), the platform's eviction, or a reload. */
  detach(id: string): void {
    const instance = this.#instances.get(id)
    this.#instances.delete(id)
    if (instance === undefined) return
    this.#lost(instance)
    if (this.#instances.size > 0) return
    if (instance.parked) {
      this.#evictAfter(EVICT_AFTER_MS - PARK_AFTER_MS)
      return
    }
    this.#asleep()
    if (!this.#options.hasContainer()) return
    this.#grace = setTimeout(() => {
      this.#grace = undefined
      if (!this.#options.reloading()) this.#abandoned('abort')
    }, RELOAD_GRACE_MS)
  }

  /** Makes instances attach again at their next event, so that they learn what changed without them. */
  refresh(): void {
    // One that has events under way is let go when they are over; until then its own start() joins ours.
    this.#stale = this.#busy
    if (this.#busy) return
    for (const instance of [...this.#instances.values()]) this.#detachQuietly(instance)
  }

  /** The Worker's side says that events of the object are under way, or that the last one has ended. */
  busy(busy: boolean): void {
    this.#busy = busy
    if (!busy && this.#stale) this.refresh()
    this.#awaitIdle()
  }

  /** Requests or connections into the container: 1 some, 0 none. */
  opened(open: number): void {
    this.#open = open
    this.#awaitIdle()
    if (open > 0) this.#cancelInactivity()
    else if (this.#instances.size === 0) this.#awaitInactivity()
  }

  /** A person is about to do something in the container: an idle object waits for it. */
  visited(): void {
    if (this.#instances.size > 0) return
    if (this.#eviction !== undefined) this.#evictAfter(EVICT_AFTER_MS)
    else if (this.#inactivity !== undefined) this.#awaitInactivity()
  }

  /** A person started the container: that nobody was there for the last one is no reason to end this one. */
  hold(): void {
    this.#cancelEviction()
    this.#held = true
  }

  /** A process that a person opened runs, or has ended. While one runs, an idle object keeps its container. */
  attended(process: ProcessId, runs: boolean): void {
    if (runs) this.#people.add(process)
    else this.#people.delete(process)
    if (this.#people.size === 0 && this.#kept) this.#evictAfter(EVICT_AFTER_MS)
  }

  /** Ends its timers. */
  close(): void {
    clearTimeout(this.#idle)
    this.#cancelEviction()
    this.#endGrace()
    this.#cancelInactivity()
  }

  /** Nobody is there for the container: it ends, unless setInactivityTimeout() lets it live on. */
  #abandoned(kind: 'abort' | 'eviction'): void {
    if (this.#instances.size > 0 || this.#held) return
    if (this.inactivityMs !== undefined) this.#awaitInactivity()
    else if (kind === 'eviction') this.#evict()
    else void this.#options.end({ kind })
  }

  /** Nobody came for so long: it is asleep, and its container ends. */
  #evictAfter(ms: number): void {
    this.#cancelEviction()
    this.#eviction = setTimeout(() => {
      this.#eviction = undefined
      this.#asleep()
      this.#abandoned('eviction')
    }, ms)
  }

  #cancelEviction(): void {
    clearTimeout(this.#eviction)
    this.#eviction = undefined
    this.#kept = false
  }

  #evict(): void {
    this.#kept = this.#people.size > 0
    if (!this.#kept) void this.#options.end({ kind: 'eviction' })
  }

  #cancelInactivity(): void {
    clearTimeout(this.#inactivity)
    this.#inactivity = undefined
  }

  #awaitInactivity(): void {
    this.#cancelInactivity()
    if (this.inactivityMs === undefined || this.#open > 0) return
    const ms = Math.min(this.inactivityMs, LONGEST_TIMER_MS)
    this.#inactivity = setTimeout(() => {
      this.#inactivity = undefined
      this.#evict()
    }, ms)
  }

  /** Nothing keeps the object in memory: it is evicted after a while, as on the platform. */
  #awaitIdle(): void {
    clearTimeout(this.#idle)
    if (this.#busy || this.#open > 0 || this.#instances.size === 0) return
    this.#idle = setTimeout(() => this.#park(), PARK_AFTER_MS)
  }

  #lost(instance: Instance): void {
    instance.lost()
    this.#options.onGone(instance.id)
  }

  /** The last instance is gone. */
  #asleep(): void {
    this.#busy = false
    clearTimeout(this.#idle)
    this.#options.onMemory('asleep')
  }

  #endGrace(): void {
    clearTimeout(this.#grace)
    this.#grace = undefined
  }

  #park(): void {
    for (const instance of this.#instances.values()) {
      instance.parked = true
      this.#options.evict(instance.id)
    }
  }

  #detachQuietly(instance: Instance): void {
    this.#instances.delete(instance.id)
    this.#lost(instance)
    if (this.#instances.size === 0) this.#asleep()
    this.#options.evict(instance.id)
  }
}
