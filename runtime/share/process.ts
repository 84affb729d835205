/** Our end of the wire to a process in a session that another process runs (protocol/client.ts): straight to its relay. */
import { WebSocket } from 'ws'
import { Latch } from '../base/latch.ts'
import type { ExecOptions, OpenProcess } from '../front.ts'
import { CLIENT_TOKEN, CLIENT_VERSION, type FromClient, type Open, Source, type ToClient } from '../protocol/client.ts'
import { MoorageError } from '../protocol/errors.ts'
import type { ObjectKey, ProcessModel } from '../protocol/model.ts'

/** The longest piece that is written at once. */
export const PIECE_BYTES = 1_048_576

/** What someone who joined hears of the process. */
export interface JoinEvents {
  onMessage(message: ToClient): void
  /** One piece of output; 1 is stdout, 2 stderr. No more comes until a promise that it returns is settled. */
  onOutput(source: number, bytes: Buffer): Promise<void> | undefined
}

/** A process in a session that another terminal runs. */
export interface Joined {
  /** Resolves when the session has no more to say. */
  readonly closed: Promise<void>
  tell(message: FromClient): void
  /** Bytes for stdin; resolves when they are on their way. */
  write(bytes: Uint8Array): Promise<void>
  close(): void
}

/**
 * Starts a process in a session.
 * @param at where its relay listens.
 * @throws MoorageError `no-session` where nothing answers; that it was refused is a message.
 */
export async function openProcess(
  at: { readonly port: number; readonly token: string },
  open: Omit<Open, 'version'>,
  events: JoinEvents,
): Promise<Joined> {
  const { port, token } = at
  const socket = new WebSocket(`ws://127.0.0.1:${port}/client`, { headers: { [CLIENT_TOKEN]: token } })
  let untaken = 0
  socket.on('message', (data: Buffer, isBinary) => {
    if (isBinary) {
      const taken = events.onOutput(data[0] ?? 0, data.subarray(1))
      if (taken === undefined) return
      // What is read already may come all the same.
      untaken += 1
      socket.pause()
      void taken.finally(() => {
        untaken -= 1
        if (untaken === 0) socket.resume()
      })
    } else events.onMessage(JSON.parse(data.toString('utf8')) as ToClient)
  })
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve)
    socket.once('error', (error) =>
      reject(new MoorageError('no-session', `The session does not answer: ${error.message}`)),
    )
  })
  socket.on('error', () => socket.terminate())
  socket.send(JSON.stringify({ version: CLIENT_VERSION, ...open } satisfies Open))
  return {
    closed,
    tell: (message) => socket.send(JSON.stringify(message)),
    write: (bytes) => new Promise((resolve) => socket.send(bytes, () => resolve())),
    close: () => socket.close(),
  }
}

/**
 * As openProcess(), for the front door; resolves when it runs.
 * @param use shown the connection, which is closed when the process has ended: whoever wants it to end sooner closes it.
 * @throws MoorageError where it could not be started.
 */
export async function execThrough(
  at: { readonly port: number; readonly token: string },
  object: ObjectKey,
  { argv, env = {}, cwd, user, tty, onOutput, onNote }: ExecOptions,
  use: (joined: Joined) => void,
): Promise<Omit<OpenProcess, 'signal' | 'resize'>> {
  const started = new Latch<Pick<OpenProcess, 'id' | 'pid' | 'command'>>()
  const ended = new Latch<NonNullable<ProcessModel['end']>>()
  const open = { object, argv, env, cwd, user, tty, stdin: true }
  const joined = await openProcess(at, open, {
    onOutput: (source, bytes) => onOutput(source === Source.STDERR ? 'stderr' : 'stdout', bytes) ?? undefined,
    onMessage: (message) => {
      if (message.type === 'note') onNote?.(message.text)
      else if (message.type === 'started') started.resolve(message)
      else if (message.type === 'ended') ended.resolve(message.end)
      else started.reject(new MoorageError(message.code, message.message, { advice: message.advice }))
    },
  })
  use(joined)
  void joined.closed.then(() => {
    const lost = 'The connection to the session ended.'
    started.reject(new MoorageError('session-ended', lost))
    ended.resolve({ at: Date.now(), lost })
  })
  const { id, pid, command } = await started.promise
  return {
    id,
    pid,
    command,
    ended: ended.promise,
    write: async (bytes) => {
      const pieces = Math.ceil(bytes.length / PIECE_BYTES)
      const piece = (i: number): Uint8Array => bytes.subarray(i * PIECE_BYTES, (i + 1) * PIECE_BYTES)
      // All at once: what is written after it comes after all of it.
      await Promise.all(Array.from({ length: pieces }, (_, i) => joined.write(piece(i))))
    },
    end: async () => joined.tell({ type: 'eof' }),
  }
}
