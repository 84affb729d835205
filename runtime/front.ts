/** The front door's types: what a session is started with, and what can be done with it. */
import type { LogLine } from './object/log.ts'
import type { SessionEvent } from './protocol/events.ts'
import type { ObjectKey, ProcessId, ProcessModel, SessionModel } from './protocol/model.ts'
import type { OutputPart } from './protocol/relay.ts'

/** What a session is started with. */
export interface SessionOptions {
  /** The wrangler config, or several: one Worker each. A folder or nothing means the config in it. */
  readonly config?: string | readonly string[]
  /** A section of `env` in the config. */
  readonly env?: string
  /** Where the (first) Worker is served; 0, the default, for a free port. */
  readonly port?: number
  readonly inspectorPort?: number
  readonly logLevel?: 'debug' | 'info' | 'warn' | 'error'
  /** Set over the Dockerfiles' own ARGs. */
  readonly buildArgs?: Readonly<Record<string, string>>
  /** The folder of Moorage's built files; found by itself except in a CommonJS bundle. */
  readonly dist?: string
  /** The engine's address as in DOCKER_HOST; else it is found. */
  readonly engine?: string
  /** The Node for wrangler; else it is found. */
  readonly node?: string
  /** Where a shell comes from for images that have none: an image with /bin/busybox, or the path of a static busybox. Default: MOORAGE_BUSYBOX, else `busybox:musl`. */
  readonly busybox?: string
  /** false: no limits of CPU, memory and max_instances. */
  readonly limits?: boolean
  /** Aborts the start; what was opened is closed. A session that has started is ended by dispose(). */
  readonly signal?: AbortSignal
  /** Hears events from the very first, before startSession resolves. */
  readonly onEvent?: (event: SessionEvent, model: SessionModel) => void
  /** Hears what is done on this machine beside the session, such as an installation. */
  readonly onNotice?: (text: string) => void
}

/** What can be done to an object's container. Each rejects with MoorageError where it cannot be done. */
export interface ObjectActions {
  /** Starts it with what the Worker started it with last; resolves when the app runs. */
  start(): Promise<void>
  /** Sends SIGTERM; resolves when it was sent. */
  stop(): Promise<void>
  /** Destroys it and starts it anew with the same options. */
  restart(): Promise<void>
  /** Ends it at once; resolves when it has ended. */
  destroy(): Promise<void>
  /** Sends a signal, 1..64, to the root process. */
  signal(signal: number): Promise<void>
  /** Everything that is kept of its log, over all lives, oldest first. */
  logs(): Promise<LogLine[]>
  /** Starts a process beside the app, for a person. @throws MoorageError where it could not be started. */
  exec(options: ExecOptions): Promise<OpenProcess>
}

/** A process for a person. */
export interface ExecOptions {
  /** Executable and arguments; empty: bash, else sh, else a busybox that is put beside the app, which `onNote` says. */
  readonly argv: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** Default: the image's. */
  readonly cwd?: string
  readonly user?: string
  /** A terminal; without it, pipes. */
  readonly tty?: { readonly cols: number; readonly rows: number }
  /** Hears output from the first byte; without a terminal, stdout and stderr apart. */
  readonly onOutput: (stream: 'stdout' | 'stderr', bytes: Uint8Array) => void
  readonly onNote?: (text: string) => void
}

/** A process that a person opened; whoever opened it ends it, or lets it end. */
export interface OpenProcess {
  readonly id: ProcessId
  readonly pid: number
  readonly command: readonly string[]
  /** Resolves when it has ended and all its output was heard; `lost` where its container ended first. */
  readonly ended: Promise<NonNullable<ProcessModel['end']>>
  /** Writes to stdin; resolves when more may come. */
  write(bytes: Uint8Array): Promise<void>
  /** No more for stdin. Of a terminal, its program reads the end where it reads lines; one that reads in raw mode is told nothing. */
  end(): Promise<void>
  signal(signal: number): Promise<void>
  resize(cols: number, rows: number): Promise<void>
}

/** What can be done with any process of the session, whoever started it. */
export interface ProcessActions {
  signal(signal: number): Promise<void>
  /** Types into its stdin, where that is open. */
  write(bytes: Uint8Array): Promise<void>
  end(): Promise<void>
  resize(cols: number, rows: number): Promise<void>
  /**
   * What is kept of its output: the beginning, and the end; `lostBytes` are missing between. With `onOutput`, what comes after
   * is heard too, by as many as ask. Hearing never slows the process: who takes too little misses `lostBytes` before a piece.
   */
  output(onOutput?: (stream: 'stdout' | 'stderr', bytes: Uint8Array, lostBytes: number) => void): Promise<KeptOutput>
}

export interface KeptOutput {
  readonly head: readonly OutputPart[]
  readonly lostBytes: number
  readonly tail: readonly OutputPart[]
  /** Ends the hearing of what comes after. */
  close(): void
}

/** One run of a project. */
export interface Session {
  readonly id: string
  /** Everything that is. A new value after each event that changes it. */
  readonly model: SessionModel
  /** Where the Workers are served, in the order of the configs. */
  readonly urls: readonly string[]
  /** Resolves with the reason when the session cannot go on; dispose() is still to be called. */
  readonly failed: Promise<Error>
  /** Hears every event from now on; the function returned ends it. */
  onEvent(listener: (event: SessionEvent) => void): () => void
  /** @throws MoorageError where no such object was seen. */
  object(key: ObjectKey): ObjectActions
  /** @throws MoorageError where no such process is known any more. */
  process(id: ProcessId): ProcessActions
  /** Builds the images of a class, or of all, anew where their content changed; running containers restart on them. */
  rebuild(className?: string): Promise<void>
  /** How many containers the engine has of the session, sandboxes and gateway too: what a dispose() that takes long waits for. */
  left(): Promise<number>
  /** Ends everything and removes what it made in the engine. Called again it gives the same promise. */
  dispose(): Promise<void>
}
