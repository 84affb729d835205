import { Latch, within } from '../base/latch.ts'
import type { Engine } from '../engine/engine.ts'
import { Fact } from '../protocol/agent.ts'
import { explainErrno } from '../protocol/errno.ts'
import { MoorageError } from '../protocol/errors.ts'
import type { ContainerState, End, ObjectKey, Phase, Reason } from '../protocol/model.ts'
import type { RunCommand } from '../protocol/relay.ts'
import type { Outcome, Refusal, StartOptions } from '../protocol/worker.ts'
import type { RelayThread } from '../relay/thread.ts'
import { catches, explain, TERM_IS_IGNORED } from './explain.ts'
import { listeningPorts, portAdvice } from './ports.ts'
import type { Prepared } from './prepared.ts'

const SIGINT = 2
const SIGQUIT = 3
const SIGKILL = 9
const SIGTERM = 15
const SIGCONT = 18
const SIGSTOP = 19
/** Signals that ask an app to end: whatever exit code follows is theirs. Of the others only 128 + the signal is. */
const ASK_TO_END = [SIGINT, SIGQUIT, SIGTERM]
/** The exit code of a process that SIGKILL ended. */
const KILLED = 128 + SIGKILL
const LAST_LOG_LINES = 50
/** Signals that end a process that has no handler for them, by what they mean. */
const ENDING = new Set([1, 2, 3, SIGKILL, SIGTERM])
/** How long an app may take to end after a TERM before it is looked at. */
const TERM_PATIENCE_MS = 1_000
/** The last lines, and the engine's word that memory ran out, come by other ways than the exit, at most this much later. */
const LAST_WORDS_MS = 250
/** An app that does not listen this long after its start may never do. */
const PORT_PATIENCE_MS = 3_000

/** What monitor() says of a start that failed (semantics.md). */
export const FAILED_TO_START = 'Container failed to start'
export const NO_INSTANCE = 'there is no container instance that can be provided to this durable object'

/** What a life needs of its object and class. */
export interface LifeOptions {
  readonly object: ObjectKey
  readonly number: number
  readonly start: StartOptions
  readonly engine: Engine
  readonly relay: RelayThread
  readonly memoryMib: number | undefined
  /** The image, ready; rejects where it could not be made. */
  image(): Promise<{ readonly name: string; readonly command: RunCommand }>
  /** A container for it; the life owns it. */
  container(): Promise<Prepared>
  /** A name for people who look with the engine's own tools. */
  readonly containerName: string
  /** Leads requests to the life's container, or no longer. Called before anyone is told of the change. */
  bind(container: string | null): Promise<void>
  onState(state: ContainerState): void
  onAdvice(text: string): void
  lastLog(count: number): readonly string[]
  /** The life is over and its container is being removed; resolves or rejects when that is done. */
  onClosing(closed: Promise<void>): void
}

/** One life of an object's container, from start to end. The state of the object is that of its latest life. */
export class Life {
  readonly number: number
  readonly start: StartOptions
  /** How it ended; never rejects. */
  readonly ended: Promise<End>
  /** For monitor(); resolves with `ended`. */
  readonly outcome: Promise<Outcome>
  readonly #options: LifeOptions
  readonly #end = new Latch<End>()
  readonly #outcome = new Latch<Outcome>()
  readonly #startedAt = Date.now()
  readonly #image = new Latch<string>()
  #prepared: Prepared | undefined
  #phase: Phase = 'image'
  #runningAt = Number.POSITIVE_INFINITY
  readonly #portsTold = new Set<number>()
  /** Resolves when the app runs or the life is over. */
  readonly #up = new Latch()
  /** The first destroy: the end that follows is told as this, however it comes. */
  #destroying: Reason | undefined
  /** The last signal that was sent, and how an end is told that it brings about. */
  #sent: { readonly signal: number; readonly reason: Extract<Reason, { kind: 'idle' | 'signalled' }> } | undefined

  constructor(options: LifeOptions) {
    this.#options = options
    this.number = options.number
    this.start = options.start
    this.ended = this.#end.promise
    this.outcome = this.#outcome.promise
  }

  /** Resolves when begin() has: the app runs, or the life is over. */
  get begun(): Promise<void> {
    return this.#up.promise
  }

  get over(): boolean {
    return this.#end.settled
  }

  /** The name of its image, as soon as it is known; undefined where the life ends before. */
  get image(): Promise<string | undefined> {
    return Promise.race([this.#image.promise, this.ended.then(() => undefined)])
  }

  /** The engine's id of its container, once it has one. */
  get containerId(): string | undefined {
    return this.#prepared?.id
  }

  /**
   * Starts it. Resolves when the app runs, or when it is over; never rejects.
   * @param refusal set where it must not start: it then fails with this.
   */
  async begin(refusal?: {
    readonly code: 'too-many-instances'
    readonly message: string
  }): Promise<Refusal | undefined> {
    try {
      if (refusal !== undefined) throw new MoorageError(refusal.code, refusal.message)
      this.#enter('image')
      const image = await this.#options.image()
      this.#image.resolve(image.name)
      if (this.over) return undefined
      this.#enter('create')
      const prepared = await this.#options.container()
      if (this.over) {
        this.#options.onClosing(prepared.close())
        return undefined
      }
      this.#prepared = prepared
      prepared.exit.then(
        ({ exitCode }) => void this.#exited(prepared, exitCode),
        () => this.#finish(this.#destroying ?? { kind: 'engine-gone' }, KILLED),
      )
      this.#enter('start')
      if (this.start.enableInternet === true) {
        await this.#options.relay.ask.internet({ address: prepared.sandbox.address, allowed: true })
      }
      await this.#run(prepared, image)
      return undefined
    } catch (error) {
      return this.#fail(error)
    }
  }

  /** Ends it at once. Resolves when it is over. `reason` is what is told; the first destroy's counts. */
  async destroy(reason: Reason): Promise<void> {
    if (this.over) return
    if (this.#destroying !== undefined) {
      await this.ended
      return
    }
    this.#destroying = reason
    const prepared = this.#prepared
    if (prepared === undefined) {
      this.#finish(reason, KILLED)
      return
    }
    this.#options.onState({ state: 'stopping', life: this.number, since: Date.now(), how: 'SIGKILL' })
    // The engine answers a while after the process is gone; the agent's link tells it at once. A kill that fails means that
    // it ended in the same moment, or that the engine is gone: removing it, below, says the same.
    const failed = new Promise<void>((resolve) => {
      this.#options.engine.kill(prepared.id, SIGKILL).catch(() => resolve())
    })
    await Promise.race([prepared.exit.catch(() => undefined), prepared.linkDown, failed])
    this.#finish(reason, KILLED)
  }

  /**
   * Sends a signal to the root process; one that comes while it starts waits until it runs.
   * @param idle whether sleepAfter is what sends it, for the reason.
   */
  async signal(signal: number, by: 'worker' | 'person', idle = false): Promise<void> {
    if (this.#phase === 'image' && !this.over && ENDING.has(signal)) {
      // Nothing runs yet that could be sent it, and may not for minutes: there is only the start to end.
      const exitCode = 128 + signal
      this.#finish(idle ? { kind: 'idle', exitCode } : { kind: 'signalled', by, sent: signal, exitCode }, exitCode)
      return
    }
    await this.#up.promise
    const prepared = this.#prepared
    if (prepared === undefined || this.over) return
    if (signal !== SIGCONT && signal !== SIGSTOP) {
      const reason = idle
        ? ({ kind: 'idle', exitCode: 0 } as const)
        : ({ kind: 'signalled', by, sent: signal, exitCode: 0 } as const)
      this.#sent = { signal, reason }
    }
    if (signal === SIGKILL || signal === SIGSTOP) await this.#options.engine.kill(prepared.id, signal)
    else await this.#options.relay.ask.signal({ container: prepared.id, signal })
    if (signal === SIGTERM && !this.over) {
      const how = idle ? 'SIGTERM, sleepAfter' : 'SIGTERM'
      this.#options.onState({ state: 'stopping', life: this.number, since: Date.now(), how })
      void this.#adviseOnTerm(prepared)
    }
  }

  /** A request found nobody listening on a port. Long after the start that is worth a word, once. */
  async refused(port: number): Promise<void> {
    const waitedMs = Date.now() - this.#runningAt
    const prepared = this.#prepared
    if (prepared === undefined || waitedMs < PORT_PATIENCE_MS || this.#portsTold.has(port)) return
    this.#portsTold.add(port)
    const { relay, onAdvice } = this.#options
    const tables = [Fact.TCP, Fact.TCP6].map((fact) => relay.ask.ask({ container: prepared.id, fact }))
    const listening = listeningPorts(...(await Promise.all(tables).catch(() => [])))
    if (!this.over && !listening.includes(port)) onAdvice(portAdvice(port, listening, waitedMs))
  }

  async #run(prepared: Prepared, image: { readonly name: string; readonly command: RunCommand }): Promise<void> {
    const { relay } = this.#options
    const result = await relay.ask.run({
      container: prepared.id,
      command: image.command,
      object: this.#options.object,
      life: this.number,
    })
    if ('errno' in result) {
      throw new MoorageError('executable-not-found', explainErrno(result.errno, result.step, image.command))
    }
    if (this.over || this.#destroying !== undefined) return
    // A name that is taken, or an engine that does not want it, is no reason to fail.
    void this.#options.engine.rename(prepared.id, this.#options.containerName).catch(() => undefined)
    await this.#options.bind(prepared.id)
    if (this.over || this.#destroying !== undefined) {
      await this.#options.bind(null)
      return
    }
    this.#runningAt = Date.now()
    this.#up.resolve()
    this.#options.onState({
      state: 'running',
      life: this.number,
      since: Date.now(),
      containerId: prepared.id,
      image: image.name,
      internet: this.start.enableInternet === true,
      startedMs: Date.now() - this.#startedAt,
    })
  }

  /** An app that is still there a while after a TERM, and has no handler for it even then, will never end by one. */
  async #adviseOnTerm(prepared: Prepared): Promise<void> {
    await within(TERM_PATIENCE_MS, this.ended)
    if (this.over) return
    const status = await this.#options.relay.ask.ask({ container: prepared.id, fact: Fact.STATUS }).catch(() => '')
    if (status !== '' && !this.over && !catches(status, SIGTERM)) this.#options.onAdvice(TERM_IS_IGNORED)
  }

  #enter(phase: Phase): void {
    this.#phase = phase
    this.#options.onState({ state: 'starting', life: this.number, since: this.#startedAt, phase })
  }

  async #exited(prepared: Prepared, exitCode: number): Promise<void> {
    await within(LAST_WORDS_MS, prepared.silent)
    const sent = this.#sent
    // A signal that the app lived on after explains no later end that somebody else brought about.
    const byOthers = prepared.killed.settled && sent?.signal !== SIGKILL
    const bySignal =
      sent !== undefined && !byOthers && (exitCode === 128 + sent.signal || ASK_TO_END.includes(sent.signal))
    if (this.#destroying !== undefined) this.#finish(this.#destroying, exitCode)
    else if (bySignal) this.#finish({ ...sent.reason, exitCode }, exitCode)
    // The engine tells of any process in the container: only a root process that was killed ended for it.
    else if (exitCode === KILLED && prepared.oom.settled) this.#finish({ kind: 'out-of-memory', exitCode }, exitCode)
    // Nobody here asked the engine for it, or one of the two above would be set.
    else if (prepared.killed.settled) this.#finish({ kind: 'removed-outside' }, exitCode)
    else this.#finish({ kind: 'exited', exitCode }, exitCode)
  }

  /** A start that failed. Undefined where the life has ended otherwise: its end says all. */
  #fail(error: unknown): Refusal | undefined {
    if (this.#destroying !== undefined) this.#finish(this.#destroying, KILLED)
    if (this.over) return undefined
    const message = error instanceof Error ? error.message : String(error)
    const code = error instanceof MoorageError ? error.code : 'start-failed'
    const phrase = code === 'too-many-instances' ? NO_INSTANCE : FAILED_TO_START
    const failure: Refusal = { message: phrase, cause: message }
    this.#finish({ kind: 'start-failed', phase: this.#phase, code, message }, undefined, failure)
    return failure
  }

  #finish(reason: Reason, exitCode: number | undefined, failure?: Refusal): void {
    if (this.over) return
    const { message, advice, failed } = explain(reason, this.#options.memoryMib)
    const end: End = { at: Date.now(), reason, message, advice, lastLog: this.#options.lastLog(LAST_LOG_LINES) }
    this.#end.resolve(end)
    this.#up.resolve()
    const unbound = this.#options.bind(null).catch(() => undefined)
    this.#options.onState({ state: failed ? 'failed' : 'stopped', life: this.number, end })
    void unbound.then(() => {
      this.#outcome.resolve({
        life: this.number,
        ...(exitCode === undefined ? {} : { exitCode }),
        ...(failure === undefined ? {} : { failure }),
      })
    })
    if (this.#prepared !== undefined)
      this.#options.onClosing(this.#prepared.close(`The container has ended: ${message}`))
  }
}
