/**
 * The wire between the relay (exec/client.ts) and a terminal or window that joins a running session (share/process.ts): one
 * WebSocket to `/client` of the relay's loopback server for each process, opened with CLIENT_TOKEN, which lies in the
 * project's lock file.
 *
 * Text frames are JSON: first `Open` from the client, then `FromClient` and `ToClient`. Binary frames are bytes: from the
 * client for stdin, to the client one byte of Source and then output.
 */
import type { ErrorCode } from './errors.ts'
import type { ProcessId, ProcessModel } from './model.ts'

export const CLIENT_VERSION = 2

/** Header with the client's token. */
export const CLIENT_TOKEN = 'x-moorage-client'

/** What to start. */
export interface Open {
  readonly version: number
  /** `Class/name` or `Class/id`, or the beginning of one that only one object has. */
  readonly object: string
  /** Empty: the best shell there is. */
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly cwd?: string
  readonly user?: string
  readonly stdin: boolean
  readonly tty?: { readonly cols: number; readonly rows: number }
}

export type FromClient =
  | { readonly type: 'signal'; readonly signal: number }
  | { readonly type: 'resize'; readonly cols: number; readonly rows: number }
  | { readonly type: 'eof' }

export type ToClient =
  /** Said beside the process's output, before it starts. */
  | { readonly type: 'note'; readonly text: string }
  | { readonly type: 'started'; readonly id: ProcessId; readonly pid: number; readonly command: readonly string[] }
  | { readonly type: 'refused'; readonly code: ErrorCode; readonly message: string; readonly advice: readonly string[] }
  /** Behind all its output. */
  | { readonly type: 'ended'; readonly end: NonNullable<ProcessModel['end']> }

export const Source = { STDOUT: 1, STDERR: 2 } as const
