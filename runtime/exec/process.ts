import type { Readable, Writable } from 'node:stream'
import type { AgentLink } from '../link/agent.ts'
import { type LinkedProcess, type ProcessExit, SpawnError } from '../link/process.ts'
import { CommandFlag } from '../protocol/agent.ts'
import { explainErrno } from '../protocol/errno.ts'
import type { ObjectKey, ProcessId, ProcessModel } from '../protocol/model.ts'
import type { RunCommand } from '../protocol/relay.ts'
import { commandOf } from './command.ts'
import { KeptOutput } from './output.ts'
import type { OutputMemory } from './output-memory.ts'

/** What to start, and for whom. */
export interface ExecOptions {
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string | undefined
  readonly user: string | undefined
  readonly stdin: boolean
  readonly stdout: 'pipe' | 'ignore'
  readonly stderr: 'pipe' | 'ignore' | 'combined'
  readonly pty: { readonly cols: number; readonly rows: number } | undefined
  readonly by: 'worker' | 'person'
  /** One of several that are tried: a start that fails is not told. */
  readonly isAttempt?: boolean
}

/** Where it runs: the object, the life, the container, and what its app was started with, which an exec inherits. */
export interface ExecPlace {
  readonly container: string
  readonly object: ObjectKey
  readonly life: number
  readonly link: AgentLink
  readonly app: RunCommand
}

/** Bytes moved are told at most this often. */
const TELL_MS = 1_000

/** One exec in a container: its streams, its end, what it wrote, and what is told of it. */
export class Process {
  readonly id: ProcessId
  readonly place: ExecPlace
  readonly kept: KeptOutput
  /** Resolves with the pid. Rejects with SpawnError where it was not started. */
  readonly started: Promise<number>
  /** Settles when it ends. Rejects where the container or the link ended first. */
  readonly exit: Promise<ProcessExit>
  /** Resolves when it has ended and all that it wrote has come. */
  readonly over: Promise<void>
  readonly #linked: LinkedProcess
  readonly #onChange: (model: ProcessModel) => void
  #model: ProcessModel
  #telling: NodeJS.Timeout | undefined
  /** Settled when stdin takes more; set while it does not. */
  #room: Promise<void> | undefined
  readonly #isAttempt: boolean
  #silent = false

  /** @param onChange is told once it has started, while it moves bytes, and when it ends. */
  constructor(
    id: ProcessId,
    place: ExecPlace,
    options: ExecOptions,
    file: string,
    memory: OutputMemory,
    onChange: (model: ProcessModel) => void,
  ) {
    const { app } = place
    const command = commandOf(options, app)
    const { cwd, user } = command
    this.id = id
    this.place = place
    this.kept = new KeptOutput(file, memory)
    this.#onChange = onChange
    this.#isAttempt = options.isAttempt === true
    this.#linked = place.link.spawn({
      ...command,
      flags: flagsOf(options),
      cols: options.pty?.cols ?? 0,
      rows: options.pty?.rows ?? 0,
    })
    this.#model = {
      id,
      object: place.object,
      life: place.life,
      command: options.argv,
      cwd,
      user: user || 'root',
      by: options.by,
      terminal: options.pty !== undefined,
      stdinOpen: options.stdin || options.pty !== undefined,
      startedAt: Date.now(),
      pid: 0,
      bytesIn: 0,
      bytesOut: 0,
    }
    this.started = this.#linked.started
    this.exit = this.#linked.exit
    this.over = this.#linked.over
    for (const stream of ['stdout', 'stderr'] as const) {
      this.#linked[stream]?.tap((bytes) => {
        this.kept.add(stream, bytes)
        this.#moved({ bytesOut: this.#model.bytesOut + bytes.length })
      })
    }
    this.#linked.stdin?.once('finish', () => this.#change({ stdinOpen: false }))
    this.started.then(
      (pid) => this.#change({ pid }),
      () => undefined,
    )
    this.exit.then(
      ({ exitCode, signal }) => this.#ended({ exitCode, ...(signal === undefined ? {} : { signal }) }),
      (error: Error) => this.#ended({ lost: reasonOf(error, command) }),
    )
    // Output may come after the end: its children have it too.
    void this.over.then(() => this.#tellMoved())
  }

  get model(): ProcessModel {
    return this.#model
  }

  get stdout(): Readable | undefined {
    return this.#linked.stdout
  }

  get stderr(): Readable | undefined {
    return this.#linked.stderr
  }

  get stdin(): Writable | undefined {
    return this.#linked.stdin
  }

  /** The line of the developer's code that started it. */
  comesFrom(source: string): void {
    this.#change({ source })
  }

  /** Sees each piece of output from now on; the function returned ends it. */
  follow(listener: (stream: 'stdout' | 'stderr', bytes: Buffer) => void): () => void {
    const ends = (['stdout', 'stderr'] as const).map((stream) =>
      this.#linked[stream]?.tap((bytes) => listener(stream, bytes)),
    )
    return () => {
      for (const end of ends) end?.()
    }
  }

  /** Writes to stdin; resolves when more may come. */
  write(bytes: Uint8Array): Promise<void> {
    const { stdin } = this.#linked
    if (stdin === undefined || stdin.writableEnded || stdin.destroyed) return Promise.resolve()
    this.#moved({ bytesIn: this.#model.bytesIn + bytes.length })
    if (stdin.write(bytes)) return Promise.resolve()
    this.#room ??= new Promise<void>((resolve) => {
      const done = (): void => {
        stdin.off('drain', done)
        stdin.off('close', done)
        this.#room = undefined
        resolve()
      }
      stdin.once('drain', done)
      stdin.once('close', done)
    })
    return this.#room
  }

  /** No more for stdin. */
  end(): void {
    this.#linked.stdin?.end()
  }

  /** Nobody will read an output any more: the process hears of it when it next writes. */
  hangUp(stream: 'stdout' | 'stderr'): void {
    this.#linked[stream]?.hangUp()
  }

  /** Sends a signal, 1..64. */
  kill(signal: number): void {
    this.#linked.kill(signal)
  }

  /** Its owner is gone: kills it, and all that it started and that stayed in its session. */
  endAll(): void {
    this.#linked.endAll()
  }

  resize(cols: number, rows: number): void {
    this.#linked.resize(cols, rows)
  }

  /** Kills it where it runs, throws away what nobody has read, and removes what was kept. */
  async close(): Promise<void> {
    this.kill(9)
    this.stdout?.destroy()
    this.stderr?.destroy()
    clearTimeout(this.#telling)
    this.#silent = true
    await this.kept.close()
  }

  #ended(end: Omit<NonNullable<ProcessModel['end']>, 'at'>): void {
    clearTimeout(this.#telling)
    this.#telling = undefined
    this.#change({ stdinOpen: false, end: { at: Date.now(), ...end } })
  }

  #change(change: Partial<ProcessModel>): void {
    this.#model = { ...this.#model, ...change }
    const begun = this.#model.pid !== 0 || (this.#model.end !== undefined && !this.#isAttempt)
    if (begun && !this.#silent) this.#onChange(this.#model)
  }

  #moved(change: Partial<ProcessModel>): void {
    this.#model = { ...this.#model, ...change }
    this.#telling ??= setTimeout(() => this.#tellMoved(), TELL_MS)
  }

  #tellMoved(): void {
    if (this.#telling === undefined) return
    clearTimeout(this.#telling)
    this.#telling = undefined
    this.#change({})
  }
}

/** Why it did not end by itself, or was never started. */
function reasonOf(error: Error, command: { argv: readonly string[]; cwd: string; user: string }): string {
  return error instanceof SpawnError ? `Not started: ${explainErrno(error.errno, error.step, command)}` : error.message
}

function flagsOf(options: ExecOptions): number {
  if (options.pty !== undefined) return CommandFlag.PTY | CommandFlag.STDIN
  return (
    (options.stdin ? CommandFlag.STDIN : 0) |
    (options.stdout === 'ignore' ? CommandFlag.NO_STDOUT : 0) |
    (options.stderr === 'ignore' ? CommandFlag.NO_STDERR : 0) |
    (options.stderr === 'combined' ? CommandFlag.COMBINED : 0)
  )
}
