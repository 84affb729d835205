import { Latch, within } from '../base/latch.ts'
import type { Engine } from '../engine/engine.ts'
import type { ContainerState, InstanceId, ObjectKey, ProcessId, Reason } from '../protocol/model.ts'
import type { Attached, Call, Outcome, Refusal, StartOptions } from '../protocol/worker.ts'
import type { RelayThread } from '../relay/thread.ts'
import { Life, type LifeOptions } from './container.ts'
import { ObjectLog } from './log.ts'

/** The platform evicts an object this long after its last event (semantics.md, Lifecycle). */
export const EVICT_AFTER_MS = 10_000
/** An open socket keeps an instance in memory; workerd's own ten seconds begin when it is closed. */
export const PARK_AFTER_MS = 1_000
/** An instance that went away may be one that a reload replaces; how long that may take to show. */
const RELOAD_GRACE_MS = 300

/** A signal that onActivityExpired sends may come a little after its end is told: they take different ways. */
const EXPIRY_REACH_MS = 500

/** A process is told of as lost when its link goes; why its container ended is known a little later. */
const REASON_MS = 3_000

/** Longer ones Node takes for none at all. */
const LONGEST_TIMER_MS = 2_147_483_647

/** One instance of an object that is in memory. */
interface Instance {
  readonly id: InstanceId
  /** How lives ended, by the isolate's own count of them; it may ask before the start that it belongs to was taken up. */
  readonly outcomes: Map<number, Latch<Outcome>>
  /** Its socket was closed by us, as it was idle: the platform may evict it now. */
  parked: boolean
}

const LOST: Outcome = { life: 0, failure: { message: 'Network connection lost.' } }

function outcomeOf(instance: Instance, life: number): Latch<Outcome> {
  const known = instance.outcomes.get(life)
  if (known !== undefined) return known
  const outcome = new Latch<Outcome>()
  instance.outcomes.set(life, outcome)
  return outcome
}

/** What an object needs of its class and session. */
export interface ObjectOptions {
  readonly key: ObjectKey
  readonly className: string
  readonly id: string
  readonly logFile: string
  readonly engine: Engine
  readonly relay: RelayThread
  /** What a life of it needs and only its class knows. */
  life(start: StartOptions): Pick<LifeOptions, 'image' | 'container' | 'memoryMib'>
  /** Set where the class may have no more containers now. */
  refusal(): { readonly code: 'too-many-instances'; readonly message: string } | undefined
  /** Whether a reload is under way, so that an instance that goes is one that is replaced. */
  reloading(): boolean
  readonly images: readonly string[]
  onContainer(state: ContainerState): void
  onMemory(memory: 'in-memory' | 'asleep'): void
  onAdvice(text: string): void
  onClosing(closed: Promise<void>): void
}

/** One Durable Object: its instances, the lives of its container, and what decides when a container ends without being asked. */
export class DurableObject {
  readonly key: ObjectKey
  readonly id: string
  name: string | undefined
  readonly log: ObjectLog
  state: ContainerState = { state: 'none' }
  readonly #options: ObjectOptions
  readonly #instances = new Map<string, Instance>()
  #life: Life | undefined
  #previous: Life | undefined
  #lives = 0
  /** Processes that people opened in its container and that run. */
  readonly #people = new Set<ProcessId>()
  /** Its container would have been evicted but for them. */
  #kept = false
  /** A life that a person or a new image started, and no instance knows of. */
  #unannounced: Life | undefined
  #inactivityMs: number | undefined
  #inactivity: NodeJS.Timeout | undefined
  #idle: NodeJS.Timeout | undefined
  #grace: NodeJS.Timeout | undefined
  #eviction: NodeJS.Timeout | undefined
  /** The isolate that the last instance lived in. */
  #isolate: string | undefined
  #open = 0
  #busy = false
  /** Its instances are to attach again as soon as their events are over. */
  #stale = false
  #expiredAt = Number.NEGATIVE_INFINITY

  constructor(options: ObjectOptions) {
    this.#options = options
    this.key = options.key
    this.id = options.id
    this.log = new ObjectLog(options.logFile)
  }

  /** The life that is not over, if any. */
  get life(): Life | undefined {
    return this.#life?.over === false ? this.#life : undefined
  }

  /**
   * An instance is about to attach. Where the one before it went away and the isolate is still the same, it was no reload
   * but ctx.abort(): the container ends first, so that the new instance finds none.
   */
  async arriving(isolate: string | undefined): Promise<void> {
    const aborted = this.#grace !== undefined && isolate !== undefined && isolate === this.#isolate
    this.#isolate = isolate
    this.#endGrace()
    if (aborted && this.#inactivityMs === undefined) await this.life?.destroy({ kind: 'abort' })
  }

  /** A new instance: tells it whether the container runs. */
  attach(id: InstanceId): Attached {
    this.#endGrace()
    this.#cancelEviction()
    this.#cancelInactivity()
    const instance: Instance = { id, outcomes: new Map(), parked: false }
    this.#unannounced = undefined
    const life = this.life
    if (life !== undefined) void life.outcome.then(outcomeOf(instance, life.number).resolve)
    this.#instances.set(id, instance)
    this.#options.onMemory('in-memory')
    return { instance: id, running: life !== undefined, life: life?.number ?? 0, images: this.#options.images }
  }

  /** An instance went away: by our eviction, ctx.abort(), the platform's eviction, or a reload. */
  detach(id: string): void {
    const instance = this.#instances.get(id)
    this.#instances.delete(id)
    if (instance === undefined) return
    for (const outcome of instance.outcomes.values()) outcome.resolve(LOST)
    if (this.#instances.size > 0) return
    if (instance.parked) {
      this.#evictAfter(EVICT_AFTER_MS - PARK_AFTER_MS)
      return
    }
    this.#asleep()
    if (this.life === undefined) return
    this.#grace = setTimeout(() => {
      this.#grace = undefined
      if (!this.#options.reloading()) this.#abandoned('abort')
    }, RELOAD_GRACE_MS)
  }

  /** Answers what an instance asks. */
  async call(instanceId: string, call: Call): Promise<{ value: unknown } | { refusal: Refusal }> {
    const instance = this.#instances.get(instanceId)
    if (instance === undefined) return { refusal: { message: 'Network connection lost.' } }
    switch (call.method) {
      case 'start': {
        const outcome = outcomeOf(instance, call.life)
        const ours = this.life
        if (ours !== undefined && ours === this.#unannounced) {
          // We started it anew, and this instance has not heard of that: its start() is what it would have found done.
          this.#unannounced = undefined
          void ours.outcome.then(outcome.resolve)
          await ours.begun
          return { value: null }
        }
        const refusal = await this.#start(call.options, (life) => void life.outcome.then(outcome.resolve))
        if (refusal === undefined) return { value: null }
        // A start that made no life ends the one that the isolate counts; otherwise the life itself has told its end.
        outcome.resolve({ life: call.life, failure: refusal })
        return { refusal }
      }
      case 'destroy':
        await this.life?.destroy({
          kind: 'destroyed',
          by: 'worker',
          ...(call.value === undefined ? {} : { value: call.value }),
        })
        return { value: null }
      case 'signal':
        // One that finds the process just gone is lost, as with any kernel; the isolate has checked `running`.
        await this.life
          ?.signal(call.signal, 'worker', Date.now() - this.#expiredAt < EXPIRY_REACH_MS)
          .catch(() => undefined)
        return { value: null }
      case 'setInactivityTimeout':
        this.#inactivityMs = call.durationMs
        return { value: null }
      case 'inspect':
        return { value: await this.#inspect() }
    }
  }

  /** Waits for the end of a life that an instance knows by its own number. */
  async end(instanceId: string, number: number): Promise<Outcome> {
    const instance = this.#instances.get(instanceId)
    if (instance === undefined) return { ...LOST, life: number }
    return { ...(await outcomeOf(instance, number).promise), life: number }
  }

  /** A person starts it, with what the Worker started it with last. */
  async start(): Promise<Refusal | undefined> {
    const refusal = await this.#start(this.#life?.start ?? {}, (life) => {
      this.#unannounced = life
    })
    this.refresh()
    return refusal
  }

  /** Ends the life, if any, and starts one with the same options. */
  async restart(reason: Reason): Promise<Refusal | undefined> {
    await this.life?.destroy(reason)
    return this.start()
  }

  /** Makes instances attach again at their next event, so that they learn what changed without them. */
  refresh(): void {
    // One that has events under way is let go when they are over; until then its own start() joins ours.
    this.#stale = this.#busy
    if (this.#busy) return
    for (const { id } of this.#instances.values()) this.#detachQuietly(id)
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

  /** onActivityExpired runs: a TERM that it sends is sleepAfter's. */
  expiring(expiring: boolean): void {
    this.#expiredAt = expiring ? Number.POSITIVE_INFINITY : Date.now()
  }

  /** A person is about to do something in its container: an idle object waits for it. */
  visited(): void {
    if (this.#instances.size > 0) return
    if (this.#eviction !== undefined) this.#evictAfter(EVICT_AFTER_MS)
    else if (this.#inactivity !== undefined) this.#awaitInactivity()
  }

  /** A process that a person opened runs, or has ended. While one runs, an idle object keeps its container. */
  attended(process: ProcessId, runs: boolean): void {
    if (runs) this.#people.add(process)
    else this.#people.delete(process)
    if (this.#people.size === 0 && this.#kept) this.#evictAfter(EVICT_AFTER_MS)
  }

  /** Why a life ended, in a sentence; undefined where it has not, or is long gone. Waits a little for the end. */
  async whyEnded(number: number): Promise<string | undefined> {
    const life = [this.#life, this.#previous].find((one) => one?.number === number)
    return life === undefined ? undefined : (await within(REASON_MS, life.ended))?.message
  }

  /** Ends what it holds; the container is the caller's to remove. */
  async close(): Promise<void> {
    clearTimeout(this.#idle)
    this.#cancelEviction()
    this.#endGrace()
    this.#cancelInactivity()
    await this.log.close()
  }

  async #start(start: StartOptions, known: (life: Life) => void): Promise<Refusal | undefined> {
    if (this.life !== undefined) return { message: 'start() cannot be called on a container that is already running.' }
    const refusal = this.#options.refusal()
    const { relay, engine } = this.#options
    this.#lives += 1
    this.#inactivityMs = undefined
    const number = this.#lives
    const life = new Life({
      ...this.#options.life(start),
      object: this.key,
      number,
      start,
      containerName: containerName(this.#options.className, this.name ?? this.id.slice(0, 12), number),
      engine,
      relay,
      bind: (container) => this.#bind(life, container),
      onState: (state) => this.#onState(life, state),
      onAdvice: this.#options.onAdvice,
      lastLog: (count) => this.log.last(count, number),
      onClosing: this.#options.onClosing,
    })
    this.#previous = this.#life
    this.#life = life
    known(life)
    return life.begin(refusal)
  }

  async #bind(life: Life, container: string | null): Promise<void> {
    if (this.#life === life) await this.#options.relay.ask.bind({ object: this.key, container })
  }

  #onState(life: Life, state: ContainerState): void {
    if (this.#life !== life) return
    this.state = state
    this.#options.onContainer(state)
  }

  async #inspect(): Promise<unknown> {
    const { life } = this
    const image = life?.start.image ?? (await life?.image)
    return life === undefined || image === undefined ? null : { labels: life.start.labels ?? {}, image }
  }

  /** Nobody is there for the container: it ends, unless setInactivityTimeout() lets it live on. */
  #abandoned(kind: 'abort' | 'eviction'): void {
    if (this.#instances.size > 0) return
    if (this.#inactivityMs !== undefined) this.#awaitInactivity()
    else if (kind === 'eviction') this.#evict()
    else void this.life?.destroy({ kind })
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
    if (!this.#kept) void this.life?.destroy({ kind: 'eviction' })
  }

  #awaitInactivity(): void {
    this.#cancelInactivity()
    if (this.#inactivityMs === undefined || this.#open > 0) return
    this.#inactivity = setTimeout(
      () => {
        this.#inactivity = undefined
        this.#evict()
      },
      Math.min(this.#inactivityMs, LONGEST_TIMER_MS),
    )
  }

  #cancelInactivity(): void {
    clearTimeout(this.#inactivity)
    this.#inactivity = undefined
  }

  /** Nothing keeps the object in memory: it is evicted after a while, as on the platform. */
  #awaitIdle(): void {
    clearTimeout(this.#idle)
    if (this.#busy || this.#open > 0 || this.#instances.size === 0) return
    this.#idle = setTimeout(() => this.#park(), PARK_AFTER_MS)
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
      void this.#options.relay.ask.evict({ instance: instance.id }).catch(() => undefined)
    }
  }

  #detachQuietly(id: string): void {
    const instance = this.#instances.get(id)
    if (instance === undefined) return
    this.#instances.delete(id)
    for (const outcome of instance.outcomes.values()) outcome.resolve(LOST)
    if (this.#instances.size === 0) this.#asleep()
    void this.#options.relay.ask.evict({ instance: id }).catch(() => undefined)
  }
}

/** The engine allows letters, digits, `_`, `.` and `-`. */
function containerName(className: string, object: string, life: number): string {
  return `moorage-${className}-${object}-${life}`.replace(/[^\w.-]/g, '_').slice(0, 120)
}
