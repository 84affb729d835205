import { Latch, within } from '../base/latch.ts'
import type { Engine } from '../engine/engine.ts'
import { MoorageError } from '../protocol/errors.ts'
import type { ContainerState, InstanceId, ObjectKey, ProcessId, Reason } from '../protocol/model.ts'
import type { Attached, Call, Outcome, Refusal, StartOptions } from '../protocol/worker.ts'
import type { RelayThread } from '../relay/thread.ts'
import { Life, type LifeOptions } from './container.ts'
import { LOST } from './instance.ts'
import { ObjectLog } from './log.ts'
import { Presence } from './presence.ts'
import { type Asked, Pushes } from './pushes.ts'

/** A signal that onActivityExpired sends may come a little after its end is told: they take different ways. */
const EXPIRY_REACH_MS = 500
/** An instance that does not start its container by then is blocked: it is started for it, and its own start() joins. */
const ASK_MS = 5_000

/** A process is told of as lost when its link goes; why its container ended is known a little later. */
const REASON_MS = 3_000

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

/** One Durable Object: the lives of its container, and what its instances and people ask of them. */
export class DurableObject {
  readonly key: ObjectKey
  readonly className: string
  readonly id: string
  name: string | undefined
  /** When it came into memory last. */
  wokeAt: number | undefined
  readonly log: ObjectLog
  readonly pushes: Pushes
  state: ContainerState = { state: 'none' }
  readonly #options: ObjectOptions
  readonly #presence: Presence
  #life: Life | undefined
  #previous: Life | undefined
  #lives = 0
  /** A life that a person or a new image started, and no instance knows of. */
  #unannounced: Life | undefined
  /** An instance was asked to start it, and has not called start() yet. */
  #asked: Latch<Refusal | undefined> | undefined
  #expiredAt = Number.NEGATIVE_INFINITY

  constructor(options: ObjectOptions) {
    this.#options = options
    this.key = options.key
    this.className = options.className
    this.id = options.id
    this.log = new ObjectLog(options.logFile)
    this.pushes = new Pushes((args) => options.relay.ask.push(args))
    this.#presence = new Presence({
      hasContainer: () => this.life !== undefined,
      reloading: options.reloading,
      onGone: (instance) => this.pushes.gone(instance),
      evict: (instance) => void options.relay.ask.evict({ instance }).catch(() => undefined),
      onMemory: options.onMemory,
      end: (reason) => this.life?.destroy(reason),
    })
  }

  /** The life that is not over, if any. */
  get life(): Life | undefined {
    return this.#life?.over === false ? this.#life : undefined
  }

  /** An instance is about to attach, in an isolate by this name. */
  arriving(isolate: string | undefined): Promise<void> {
    return this.#presence.arriving(isolate)
  }

  /** A new instance: tells it whether the container runs. */
  attach(id: InstanceId): Attached {
    if (!this.#presence.some) this.wokeAt = Date.now()
    const instance = this.#presence.attach(id)
    this.#unannounced = undefined
    const life = this.life
    if (life !== undefined) void life.outcome.then(instance.outcome(life.number).resolve)
    return { instance: id, running: life !== undefined, life: life?.number ?? 0, images: this.#options.images }
  }

  /** An instance went away, for whatever reason. */
  detach(id: string): void {
    this.#presence.detach(id)
  }

  /** Answers what an instance asks. */
  async call(instanceId: string, call: Call): Promise<{ value: unknown } | { refusal: Refusal }> {
    const instance = this.#presence.instance(instanceId)
    if (instance === undefined) return { refusal: { message: 'Network connection lost.' } }
    switch (call.method) {
      case 'start': {
        const outcome = instance.outcome(call.life)
        const ours = this.life
        if (ours !== undefined && ours === this.#unannounced) {
          // We started it anew, and this instance has not heard of that: its start() is what it would have found done.
          this.#unannounced = undefined
          void ours.outcome.then(outcome.resolve)
          await ours.begun
          return { value: null }
        }
        const asked = this.#asked
        const refusal = await this.#start(call.options, (life) => void life.outcome.then(outcome.resolve))
        asked?.resolve(refusal)
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
        this.#presence.inactivityMs = call.durationMs
        return { value: null }
      case 'inspect':
        return { value: await this.#inspect() }
    }
  }

  /** Waits for the end of a life that an instance knows by its own number. */
  async end(instanceId: string, number: number): Promise<Outcome> {
    const instance = this.#presence.instance(instanceId)
    if (instance === undefined) return { ...LOST, life: number }
    return { ...(await instance.outcome(number).promise), life: number }
  }

  /** A person starts it, with what the Worker started it with last. @throws MoorageError where it never did */
  async start(): Promise<Refusal | undefined> {
    if (this.#life === undefined) {
      throw new MoorageError(
        'start-failed',
        'The Worker has not started this container yet, so how it does is not known.',
        {
          advice: ['Send the object a request: its Worker starts it then.'],
        },
      )
    }
    const { start } = this.#life
    if (this.life === undefined) {
      const asked = await this.#startsItself(start)
      if (asked !== undefined) return asked.refusal
    }
    const refusal = await this.#start(start, (life) => {
      this.#unannounced = life
    })
    this.#presence.hold()
    this.refresh()
    return refusal
  }

  /**
   * Asks an instance that is a Container to start itself, so that its hooks run and its state is right. Resolves when the
   * app runs, or with undefined where no instance can.
   */
  async #startsItself(options: StartOptions): Promise<{ readonly refusal: Refusal | undefined } | undefined> {
    const there = this.#presence.present
    if (there === undefined) return undefined
    const asked = new Latch<Refusal | undefined>()
    this.#asked = asked
    try {
      // What fails after its start is told by its own hooks.
      const over = this.pushes.run(there.id, { run: 'start', options }).catch(() => undefined)
      const started = asked.promise.then((refusal) => ({ refusal }))
      return await within(ASK_MS, Promise.race([started, over.then(() => undefined)]))
    } finally {
      this.#asked = undefined
    }
  }

  /**
   * Runs a hook of the developer's object as if the platform did. Resolves when it is over.
   * @throws MoorageError where the object is not in memory, or with what the hook threw.
   */
  async run(hook: Exclude<Asked, { run: 'start' }>['run']): Promise<void> {
    const there = this.#presence.present
    if (there === undefined) {
      throw new MoorageError('object-asleep', `The object is not in memory, so there is nothing to run ${hook}() of.`, {
        advice: ['Send the object a request: that wakes it.'],
      })
    }
    await this.pushes.run(there.id, { run: hook })
  }

  /** Ends the life, if any, and starts one with the same options. */
  async restart(reason: Reason): Promise<Refusal | undefined> {
    await this.life?.destroy(reason)
    return this.start()
  }

  /** Makes instances attach again at their next event, so that they learn what changed without them. */
  refresh(): void {
    this.#presence.refresh()
  }

  /** The Worker's side says that events of the object are under way, or that the last one has ended. */
  busy(busy: boolean): void {
    this.#presence.busy(busy)
  }

  /** Requests or connections into the container: 1 some, 0 none. */
  opened(open: number): void {
    this.#presence.opened(open)
  }

  /** onActivityExpired runs: a TERM that it sends is sleepAfter's. */
  expiring(expiring: boolean): void {
    this.#expiredAt = expiring ? Number.POSITIVE_INFINITY : Date.now()
  }

  /** A person is about to do something in its container: an idle object waits for it. */
  visited(): void {
    this.#presence.visited()
  }

  /** A process that a person opened runs, or has ended. While one runs, an idle object keeps its container. */
  attended(process: ProcessId, runs: boolean): void {
    this.#presence.attended(process, runs)
  }

  /** Why a life ended, in a sentence; undefined where it has not, or is long gone. Waits a little for the end. */
  async whyEnded(number: number): Promise<string | undefined> {
    const life = [this.#life, this.#previous].find((one) => one?.number === number)
    return life === undefined ? undefined : (await within(REASON_MS, life.ended))?.message
  }

  /** Ends what it holds; the container is the caller's to remove. */
  async close(): Promise<void> {
    this.#presence.close()
    await this.log.close()
  }

  async #start(start: StartOptions, known: (life: Life) => void): Promise<Refusal | undefined> {
    if (this.life !== undefined) return { message: 'start() cannot be called on a container that is already running.' }
    const refusal = this.#options.refusal()
    const { relay, engine } = this.#options
    this.#lives += 1
    this.#presence.inactivityMs = undefined
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
}

/** The engine allows letters, digits, `_`, `.` and `-`. */
function containerName(className: string, object: string, life: number): string {
  return `moorage-${className}-${object}-${life}`.replace(/[^\w.-]/g, '_').slice(0, 120)
}
