/** `ctx.container`: the platform's container object, by way of the runtime. What the words are is in check.ts, what a life is in life.ts. */
import type { Attached, Outcome } from '../protocol/worker.ts'
import * as check from './check.ts'
import { calledFrom, exec } from './exec.ts'
import { checkExec } from './exec-options.ts'
import type { ExecProcess } from './exec-process.ts'
import { type Hold, watchWith } from './hold.ts'
import { type Life, Lives } from './life.ts'
import type { Link } from './link.ts'
import { type Fetcher, openPort } from './port.ts'
import { checkStart, convertStart } from './start-options.ts'

/** What a container object needs besides the link. */
export interface ContainerOptions {
  readonly link: Link
  /** Whether methods that return a promise reject instead of throwing (`capture_async_api_throws`). */
  readonly captures: boolean
  /** Whether the Worker has the `experimental` flag. */
  readonly experimental: boolean
  /** Told as a monitor() begins and stops waiting: while one waits, the object stays in memory. */
  readonly waiting: (change: 1 | -1) => void
  /** The entrypoint that hears of an end whatever gate is closed; undefined where the Worker cannot reach its own exports. */
  readonly hold: Hold | undefined
}

/**
 * Makes the container object of an instance, and the part of it that only the instance's shell may use.
 * The object has the platform's properties only, and methods that insist on their `this`, as the platform's do.
 */
export function createContainer(options: ContainerOptions): { container: object; adopt: (attached: Attached) => void } {
  const { link, captures, experimental, waiting, hold } = options
  const lives = new Lives()
  let images: readonly string[] = []
  let processes = 0

  /** Waits for the end of a life on behalf of `running`, whether or not anyone calls monitor(). */
  const watch = (life: Life): void => {
    const ended = (outcome: Outcome): void => lives.ended(life, outcome)
    const watching = hold
      ? watchWith(hold, link.instance, life.number, ended)
      : link.end(life.number).then((outcome) => outcome && ended(outcome))
    // Broken off, the instance is evicted or the session over: nobody is left to tell.
    watching.catch(() => {})
  }

  /** A method that returns a promise: what it throws at once is thrown or rejected, as the compatibility date says. */
  const settle = <T>(run: () => Promise<T>): Promise<T> => {
    if (!captures) return run()
    try {
      return run()
    } catch (error) {
      return Promise.reject(error)
    }
  }

  class Container {
    // Its presence is what makes a method called on anything else a TypeError.
    #own = true

    get running(): boolean {
      return this.#own && lives.running
    }

    get images(): Record<string, string> {
      return this.#own ? Object.fromEntries(images.map((name) => [name, name])) : {}
    }

    start(...args: unknown[]): void {
      void this.#own
      const converted = convertStart(args[0])
      if (lives.running) throw new Error(check.ALREADY_RUNNING)
      const startOptions = checkStart(converted, experimental)
      const life = lives.begin(link.seq + 1)
      const { seq, answer } = link.call({ method: 'start', life: life.number, options: startOptions })
      answer.then(
        ({ refusal, running }) => {
          if (refusal) lives.ended(life, { life: life.number, failure: refusal })
          else if (running !== undefined) lives.heard(seq, running)
        },
        (error: unknown) =>
          lives.ended(life, {
            life: life.number,
            failure: { message: check.START_FAILED, cause: `${error as Error}` },
          }),
      )
      watch(life)
    }

    monitor(): Promise<void> {
      void this.#own
      return settle(() => {
        const life = lives.present
        if (!life) throw check.notRunning('monitor')
        return monitor(life)
      })
    }

    destroy(...args: unknown[]): Promise<void> {
      void this.#own
      return settle(async () => {
        const life = lives.present
        if (!life?.running) return
        const value = args[0]
        lives.destroying(value)
        await link.ask({ method: 'destroy', ...(value !== undefined && { value: inWords(value) }) })
        lives.ended(life)
      })
    }

    signal(...args: unknown[]): void {
      void this.#own
      check.requireArgument(args, 'signal', 'integer')
      const signal = check.checkSignal(args[0])
      if (!lives.running) throw check.notRunning('signal')
      const { seq, answer } = link.call({ method: 'signal', signal })
      answer.then(
        ({ running }) => running !== undefined && lives.heard(seq, running),
        () => {},
      )
    }

    getTcpPort(...args: unknown[]): Fetcher {
      void this.#own
      check.requireArgument(args, 'getTcpPort', 'integer')
      return openPort(check.checkPort(args[0]), link, (seq, running) => lives.heard(seq, running))
    }

    setInactivityTimeout(...args: unknown[]): Promise<void> {
      void this.#own
      return settle(() => {
        check.requireArgument(args, 'setInactivityTimeout', 'bigint')
        const durationMs = check.checkInactivityTimeout(args[0])
        return link.ask({ method: 'setInactivityTimeout', durationMs }).then(() => {})
      })
    }

    inspect(): Promise<unknown> {
      void this.#own
      return settle(() => link.ask({ method: 'inspect' }).then((value) => value ?? null))
    }

    exec(...args: unknown[]): Promise<ExecProcess> {
      void this.#own
      const at = calledFrom(Container.prototype.exec)
      return settle(() => {
        if (!lives.running) throw check.notRunning('exec')
        const process = ++processes
        const heard = (seq: number, running: boolean) => lives.heard(seq, running)
        return exec(checkExec(args), { link, process, at, heard, waiting })
      })
    }

    interceptOutboundHttp(): Promise<never> {
      void this.#own
      return settle(() => Promise.reject(check.notYet('interceptOutboundHttp()')))
    }

    interceptAllOutboundHttp(): Promise<never> {
      void this.#own
      return settle(() => Promise.reject(check.notYet('interceptAllOutboundHttp()')))
    }

    interceptOutboundHttps(): Promise<never> {
      void this.#own
      return settle(() => Promise.reject(check.notYet('interceptOutboundHttps()')))
    }

    snapshotContainer(): Promise<never> {
      void this.#own
      return settle(() => {
        if (!lives.running) throw check.notRunning('snapshotContainer')
        return Promise.reject(check.notYet('snapshotContainer()'))
      })
    }

    get [Symbol.toStringTag](): string {
      return 'Container'
    }
  }

  async function monitor(life: Life): Promise<void> {
    waiting(1)
    try {
      // Its own wait, not a shared one: the answer must arrive inside the block that monitor() was called in.
      const outcome = life.outcome ?? (await link.end(life.number)) ?? life.outcome
      if (!outcome) throw new Error(check.CONNECTION_LOST)
      lives.settle(life, outcome)
    } finally {
      waiting(-1)
    }
  }

  return {
    container: new Container(),
    adopt: (attached) => {
      images = attached.images
      const life = lives.adopt(attached.life, attached.running)
      if (life) watch(life)
    },
  }
}

/** What destroy() was given, for the log. */
function inWords(value: unknown): string {
  try {
    return value instanceof Error
      ? `${value.name}: ${value.message}`
      : typeof value === 'string'
        ? value
        : (JSON.stringify(value) ?? String(value))
  } catch {
    return Object.prototype.toString.call(value)
  }
}
