import type { AgentLink } from '../link/agent.ts'
import { SpawnError } from '../link/process.ts'
import { Step } from '../protocol/agent.ts'
import { explainErrno } from '../protocol/errno.ts'
import { MoorageError } from '../protocol/errors.ts'
import type { ObjectKey, ProcessId, ProcessModel } from '../protocol/model.ts'
import { commandOf } from './command.ts'
import type { KeptOutput } from './output.ts'
import type { OutputPiece } from './output-file.ts'
import type { ExecPlace, Process } from './process.ts'
import type { Processes } from './processes.ts'
import { type Busybox, openForPerson, type PersonOptions } from './shell.ts'

const ENOENT = 2

/** What may be under way to a reader that has not said it took it, in bytes. */
const WINDOW_BYTES = 1_048_576
/** The same for a follower, which cannot stop the process: what comes beyond it is not told to him. */
const FOLLOW_BYTES = 16_777_216

export interface PeopleOptions {
  readonly processes: Processes
  /** Where an object's execs run now; undefined where its container does not. */
  place(object: ObjectKey): Promise<ExecPlace | undefined>
  /** Puts a busybox into a container. */
  busybox(container: string): Promise<Busybox>
}

/** Processes as a person uses them: opened, looked at, typed into. */
export class People {
  readonly #options: PeopleOptions
  readonly #readers = new Map<ProcessId, Reader>()
  readonly #followers = new Map<number, Follower>()
  /** Where a busybox was put, by the link of its container. */
  readonly #busyboxes = new WeakMap<AgentLink, string>()

  constructor(options: PeopleOptions) {
    this.#options = options
  }

  /**
   * Starts a process; its output is the caller's to read. An empty argv is the best shell there is.
   * @param where an object, for the container that it has now, or a place
   * @throws MoorageError with what could not be done, in words.
   */
  async open(where: ObjectKey | ExecPlace, options: PersonOptions, onNote: (text: string) => void): Promise<Process> {
    const { processes, place: find, busybox } = this.#options
    const place = typeof where === 'string' ? await find(where) : where
    if (place === undefined) {
      throw new MoorageError('start-failed', 'The container does not run.', {
        advice: ['Start it, or send its object a request.'],
      })
    }
    const put = async (): Promise<Busybox> => {
      const found = await busybox(place.container)
      this.#busyboxes.set(place.link, found.path)
      return found
    }
    try {
      return await openForPerson(processes, place, options, put, onNote)
    } catch (error) {
      if (!(error instanceof SpawnError)) throw error
      const words = explainErrno(error.errno, error.step, commandOf(options, place.app))
      throw new MoorageError('executable-not-found', words, {
        advice: this.#otherwise(error, options.argv, place.link),
      })
    }
  }

  /** A command that the image has not, and that a busybox beside the app may have. */
  #otherwise({ errno, step }: SpawnError, argv: readonly string[], link: AgentLink): string[] {
    const busybox = this.#busyboxes.get(link)
    if (busybox === undefined || errno !== ENOENT || step !== Step.EXEC || argv[0]?.includes('/') !== false) return []
    return [`The image has no ${argv[0]}. The busybox beside the app may have one: ${busybox} ${argv.join(' ')}`]
  }

  /** As open(), for a reader on another thread: output is told, more comes as it is taken, and `onRead` follows the last of it. */
  async openRead(
    where: ObjectKey | ExecPlace,
    options: PersonOptions,
    tell: (process: ProcessId, piece: OutputPiece) => void,
    onRead: (process: ProcessId) => void,
    onNote: (text: string) => void,
  ): Promise<ProcessModel> {
    const process = await this.open(where, options, onNote)
    const reader = new Reader(process, (piece) => tell(process.id, piece))
    this.#readers.set(process.id, reader)
    const over = Promise.allSettled([process.exit, reader.ended])
    void over.then(() => {
      this.#readers.delete(process.id)
      onRead(process.id)
    })
    return process.model
  }

  /** Types into a process. @throws MoorageError where its stdin is closed. */
  write(id: ProcessId, bytes: Uint8Array): Promise<void> {
    const process = this.#options.processes.get(id)
    if (process.stdin === undefined || process.stdin.writableEnded || process.stdin.destroyed)
      throw new MoorageError('invalid-argument', 'The process takes no input: its stdin is closed.')
    return process.write(bytes)
  }

  /** What is kept of a process's output. @throws Error where it is forgotten. */
  async kept(id: ProcessId): Promise<Awaited<ReturnType<KeptOutput['read']>>> {
    return this.#options.processes.get(id).kept.read()
  }

  /** What is kept, and each piece that comes after it, until unfollow() or the end. @param number not in use. */
  follow(id: ProcessId, number: number, tell: TellFollower): Promise<Awaited<ReturnType<KeptOutput['read']>>> {
    const process = this.#options.processes.get(id)
    const kept = process.kept.read()
    this.#followers.set(number, new Follower(process, tell))
    void process.over.then(() => this.#followers.delete(number))
    return kept
  }

  unfollow(number: number): void {
    this.#followers.get(number)?.end()
    this.#followers.delete(number)
  }

  /** The reader, or the follower of that number, took so many bytes. */
  taken(id: ProcessId, bytes: number, follow?: number): void {
    if (follow === undefined) this.#readers.get(id)?.taken(bytes)
    else this.#followers.get(follow)?.taken(bytes)
  }
}

/** Hears a piece, and how many bytes before it were not told. */
type TellFollower = (piece: OutputPiece, lostBytes: number) => void

/** Hands on what a process writes without a say in how fast: others decide that. */
class Follower {
  readonly end: () => void
  #under = 0
  #lost = 0

  constructor(process: Process, tell: TellFollower) {
    this.end = process.follow((stream, bytes) => {
      if (this.#under + bytes.length > FOLLOW_BYTES) {
        this.#lost += bytes.length
        return
      }
      this.#under += bytes.length
      tell({ stream, bytes }, this.#lost)
      this.#lost = 0
    })
  }

  taken(bytes: number): void {
    this.#under -= bytes
  }
}

/** Hands on what a process writes, as far as it is taken: a slow reader stops the process and nothing else. */
class Reader {
  /** Resolves when both streams have ended. */
  readonly ended: Promise<void>
  readonly #process: Process
  #under = 0

  constructor(process: Process, tell: (piece: OutputPiece) => void) {
    this.#process = process
    const streams = (['stdout', 'stderr'] as const).map((stream) => {
      const readable = process[stream]
      if (readable === undefined) return Promise.resolve()
      readable.on('data', (bytes: Buffer) => {
        this.#under += bytes.length
        tell({ stream, bytes })
        if (this.#under > WINDOW_BYTES) this.#pause()
      })
      return new Promise<void>((resolve) => readable.once('close', resolve))
    })
    this.ended = Promise.all(streams).then(() => undefined)
  }

  taken(bytes: number): void {
    this.#under -= bytes
    if (this.#under > WINDOW_BYTES / 2) return
    this.#process.stdout?.resume()
    this.#process.stderr?.resume()
  }

  #pause(): void {
    this.#process.stdout?.pause()
    this.#process.stderr?.pause()
  }
}
