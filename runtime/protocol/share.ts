/**
 * The wire between a session (share/server.ts) and a process that joins it (share/client.ts): one WebSocket to SHARE_PATH of
 * the session's own loopback server, opened with CLIENT_TOKEN; port and token lie in the project's lock file.
 *
 * First comes `Hello` from the client. The session answers with `Welcome`, or closes. From then on there are calls of the
 * client with their answers, and news from the session, as relay/calls.ts has them. The session's model is the client's to
 * keep: it begins as Welcome says it, and changes by events. Processes in containers of objects are opened at the relay
 * (protocol/client.ts), so that what is typed takes the shortest way.
 *
 * A text frame is JSON. Where the args of a call, its answer or a piece of news have a member `bytes`, the frame is binary:
 *
 *     u32 length of the JSON, little endian | JSON without that member | the bytes
 */
import type { SessionEvent } from './events.ts'
import type { ObjectKey, ProcessId, ProcessModel, SessionModel } from './model.ts'

/** Raised with every change of this file, of model.ts and of events.ts. */
export const SHARE_VERSION = 1

export const SHARE_PATH = '/share'

/** Why the session closes a joining; the reason that comes with it is a sentence. */
export const Closed = { ENDED: 4000, OTHER_VERSION: 4001, SLOW: 4002, NOT_UNDERSTOOD: 4003 } as const

/** What of one channel's output may be under way and not taken, in bytes. */
export const CHANNEL_WINDOW_BYTES = 1_048_576

export interface Hello {
  readonly version: number
}

export interface Welcome {
  readonly version: number
  readonly model: SessionModel
  /** Of the last event that the model says. */
  readonly seq: number
  readonly urls: readonly string[]
}

/** A process to start in a fresh container of a class's image. */
export interface ShareExec {
  readonly className: string
  readonly argv: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  readonly user?: string
  readonly tty?: { readonly cols: number; readonly rows: number }
}

/** What the client asks. A `channel` is a number that it chose, by which news of what it asked for will come. */
export interface ShareCalls {
  watch(args: { on: boolean }): void
  reload(args: object): void
  rebuild(args: { className?: string }): void
  cancelBuild(args: { className: string }): void
  act(args: { object: ObjectKey; action: ObjectAction }): void
  signal(args: { object: ObjectKey; signal: number }): void
  logs(args: { object: ObjectKey }): readonly {
    readonly at: number
    readonly life: number
    readonly stream: 'stdout' | 'stderr'
    readonly text: string
  }[]
  readFile(args: { object: ObjectKey; path: string }): { bytes: Uint8Array }
  /** It is closed by its channel, or with the joining. */
  forward(args: { object: ObjectKey; port: number; channel: number }): { url: string }
  closeForward(args: { channel: number }): void
  /** The process ends with the joining. */
  execInImage(args: { exec: ShareExec; channel: number }): { id: ProcessId; pid: number; command: readonly string[] }
  signalProcess(args: { process: ProcessId; signal: number }): void
  /** Answered when more may come. */
  writeProcess(args: { process: ProcessId; bytes: Uint8Array }): void
  endProcess(args: { process: ProcessId }): void
  resizeProcess(args: { process: ProcessId; cols: number; rows: number }): void
  /** The bytes are those of head and tail, one piece after the other. With `channel`, what comes after is told there. */
  outputOfProcess(args: { process: ProcessId; channel?: number }): {
    readonly head: readonly SharePiece[]
    readonly lostBytes: number
    readonly tail: readonly SharePiece[]
    readonly bytes: Uint8Array
  }
  unfollow(args: { channel: number }): void
}

export type ObjectAction = 'start' | 'stop' | 'restart' | 'destroy' | 'expire' | 'runAlarm'

/** A piece of kept output: so many of the bytes that come with it. */
export interface SharePiece {
  readonly stream: 'stdout' | 'stderr'
  readonly size: number
}

/** What the session tells. */
export type ShareNews =
  | { readonly news: 'event'; readonly event: SessionEvent }
  | {
      readonly news: 'output'
      readonly channel: number
      readonly stream: 'stdout' | 'stderr'
      readonly bytes: Uint8Array
      /** So many were not told before: who follows took too little. */
      readonly lostBytes?: number
    }
  | { readonly news: 'note'; readonly channel: number; readonly text: string }
  /** The channel's process has ended, and all its output was told. */
  | { readonly news: 'ended'; readonly channel: number; readonly end: NonNullable<ProcessModel['end']> }
  /** The session cannot go on, and will end. */
  | { readonly news: 'failed'; readonly code?: string; readonly message: string; readonly advice: readonly string[] }

/** What the client tells: so many bytes of the output of the channel's process were taken. */
export interface ShareTaken {
  readonly news: 'taken'
  readonly channel: number
  readonly size: number
}
