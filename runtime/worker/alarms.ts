/**
 * An object's next alarm, as the runtime is told of it: what the object sets is passed on, and for a Container of
 * @cloudflare/containers, whose alarm is a loop of its own, what that loop waits for.
 */
import type { Note } from '../protocol/worker.ts'

/** A time that moved by less is not worth a word. Milliseconds. */
const TELL_MS = 1_000

/** What of a Container the loop looks at (container.js of @cloudflare/containers). */
interface Sleeper {
  readonly sleepAfterMs: number
  scheduleNextAlarm(ms: number): Promise<void>
}

type Alarm = Omit<Extract<Note, { note: 'alarm' }>, 'note'>

/** Follows the alarm of one instance. */
export class Alarms {
  readonly #ctx: DurableObjectState
  readonly #send: (note: Note) => void
  readonly #now: () => number
  #inner: object | undefined
  /** What storage has. */
  #stored: number | undefined
  #told: Alarm = {}
  #toldAt = Number.NEGATIVE_INFINITY
  #ran: boolean | undefined
  #dirty = false

  /** Takes the place of setAlarm and deleteAlarm of the object's storage, which do as before. */
  constructor(ctx: DurableObjectState, send: (note: Note) => void, now: () => number = Date.now) {
    this.#ctx = ctx
    this.#send = send
    this.#now = now
    observe(ctx.storage, 'setAlarm', ([at]) => this.#set(Number(at)))
    observe(ctx.storage, 'deleteAlarm', () => this.#set(undefined))
  }

  /** The developer's object is there: what it has from before is told. */
  async begin(inner: object): Promise<void> {
    this.#inner = inner
    if (!this.#dirty) this.#stored = (await this.#ctx.storage.getAlarm()) ?? undefined
    this.#dirty = true
    this.changed()
  }

  /** The platform takes the alarm off as it runs it. */
  runs(): void {
    this.#set(undefined)
    // A Container's loop takes off by itself what it has run of what is scheduled, and then waits without a word.
    if (sleeperOf(this.#inner) !== undefined) {
      setTimeout(() => {
        this.#dirty = true
        this.changed()
      }, TELL_MS)
    }
  }

  /** Tells the alarm where it is another than was told. Cheap: called after every event. */
  changed(): void {
    const running = this.#ctx.container?.running === true
    const sleeper = sleeperOf(this.#inner)
    const now = this.#now()
    const due = this.#told.why === 'schedule' && (this.#told.at ?? 0) <= now
    if (!this.#dirty && running === this.#ran && !due) {
      if (sleeper === undefined || this.#told.why !== 'sleepAfter') return
      if (Math.abs(sleeper.sleepAfterMs - (this.#told.at ?? 0)) < TELL_MS) return
    }
    this.#dirty = false
    this.#ran = running
    const next = sleeper === undefined ? ownAlarm(this.#stored) : this.#ofSleeper(sleeper, running)
    const moved = Math.abs((next.at ?? 0) - (this.#told.at ?? 0))
    const news = next.why !== this.#told.why || moved >= TELL_MS
    if (!news && (next.at === undefined || now - this.#toldAt < TELL_MS)) return
    this.#told = next
    this.#toldAt = now
    this.#send({ note: 'alarm', ...next })
  }

  /**
   * Runs the alarm now. What the developer's alarm() throws is thrown, and the alarm is there as before.
   * @throws Error where there is none.
   */
  async run(alarm: (info: AlarmInvocationInfo) => unknown): Promise<void> {
    const { storage } = this.#ctx
    const sleeper = sleeperOf(this.#inner)
    if (sleeper !== undefined) {
      // Its loop runs one alarm at a time: the present one is woken, and what is scheduled next is due.
      const next = this.#ofSleeper(sleeper, this.#ctx.container?.running === true)
      if (next.at === undefined) throw new Error('The object has no alarm.')
      if (next.why === 'schedule') {
        storage.sql.exec(
          'UPDATE container_schedules SET time = unixepoch() WHERE time = (SELECT MIN(time) FROM container_schedules)',
        )
      }
      await sleeper.scheduleNextAlarm(0)
      return
    }
    const at = await storage.getAlarm()
    if (at === null) throw new Error('The object has no alarm.')
    await storage.deleteAlarm()
    try {
      await alarm({ isRetry: false, retryCount: 0, scheduledTime: at })
    } catch (error) {
      if ((await storage.getAlarm()) === null) await storage.setAlarm(at)
      throw error
    }
  }

  #set(at: number | undefined): void {
    this.#stored = at
    this.#dirty = true
    // After what is under way: in its constructor the object is not there yet, and a Container schedules before it sets.
    queueMicrotask(() => {
      if (this.#inner !== undefined) this.changed()
    })
  }

  #ofSleeper({ sleepAfterMs }: Sleeper, running: boolean): Alarm {
    const schedule = this.#nextSchedule()
    const sleeps = running && sleepAfterMs > 0 ? sleepAfterMs : Number.POSITIVE_INFINITY
    if (schedule <= sleeps && schedule < Number.POSITIVE_INFINITY) return { at: schedule, why: 'schedule' }
    return sleeps < Number.POSITIVE_INFINITY ? { at: sleeps, why: 'sleepAfter' } : {}
  }

  #nextSchedule(): number {
    try {
      const rows = this.#ctx.storage.sql.exec('SELECT MIN(time) AS time FROM container_schedules').toArray()
      const time = rows[0]?.time
      return typeof time === 'number' ? time * 1_000 : Number.POSITIVE_INFINITY
    } catch {
      // Another version keeps them elsewhere.
      return Number.POSITIVE_INFINITY
    }
  }
}

function ownAlarm(at: number | undefined): Alarm {
  return at === undefined || !Number.isFinite(at) ? {} : { at, why: 'alarm' }
}

function sleeperOf(inner: object | undefined): Sleeper | undefined {
  const { sleepAfterMs, scheduleNextAlarm, onActivityExpired } = (inner ?? {}) as Record<string, unknown>
  const is = [scheduleNextAlarm, onActivityExpired].every((method) => typeof method === 'function')
  return is && typeof sleepAfterMs === 'number' ? (inner as Sleeper) : undefined
}

/** Puts a function in the place of a method that does the same and says so afterwards, where it did not throw. */
function observe(target: object, name: string, did: (args: readonly unknown[]) => void): void {
  const original: unknown = Reflect.get(target, name)
  if (typeof original !== 'function') return
  const value = function (this: unknown, ...args: unknown[]): unknown {
    const result: unknown = Reflect.apply(original, this, args)
    did(args)
    return result
  }
  Object.defineProperty(value, 'name', { value: name, configurable: true })
  Object.defineProperty(value, 'length', { value: original.length, configurable: true })
  Object.defineProperty(target, name, { value, writable: true, configurable: true, enumerable: false })
}
