import type { WebSocket } from 'ws'
import { Latch, within } from '../base/latch.ts'
import type { ExecOptions, ObjectActions, OpenProcess, ProcessActions, Session } from '../front.ts'
import { type ErrorCode, MoorageError } from '../protocol/errors.ts'
import type { SessionEvent } from '../protocol/events.ts'
import type { ObjectKey, ProcessId, ProcessModel, SessionModel } from '../protocol/model.ts'
import { Closed, type ObjectAction, type ShareCalls, type ShareNews } from '../protocol/share.ts'
import { joinCalls } from '../relay/calls.ts'
import { Store } from '../store.ts'
import { Channels, cut } from './channels.ts'
import { SocketPort } from './port.ts'
import { execThrough, type Joined, PIECE_BYTES } from './process.ts'

/** How long one who leaves waits for a session that does not answer. */
const FAREWELL_MS = 1_000

/** The model says by then what a process has said itself, or will not any more. */
const FORGOTTEN_MS = 1_000

export interface JoinedOptions {
  /** Owned by the joined session. */
  readonly socket: WebSocket
  readonly model: SessionModel
  readonly seq: number
  readonly urls: readonly string[]
  /** Where its relay listens. */
  readonly relay: { readonly port: number; readonly token: string }
  readonly onEvent: ((event: SessionEvent, model: SessionModel) => void) | undefined
  /** What it means that the socket closed. */
  closedError(code: number, reason: string): MoorageError
}

/** A session that another process runs, as its front door shows it. */
export class JoinedSession implements Session {
  readonly id: string
  readonly own = false
  readonly urls: readonly string[]
  readonly #socket: WebSocket
  readonly #relay: JoinedOptions['relay']
  /** Processes that were opened here and run. */
  readonly #opened = new Set<Joined>()
  readonly #store: Store
  readonly #calls: ReturnType<typeof joinCalls<ShareCalls, object>>
  readonly #channels = new Channels((taken) => this.#calls.tell(taken))
  readonly #failed = new Latch<Error>()
  readonly #closed = new Latch()
  #watching = 0
  #left = false

  constructor({ socket, model, seq, urls, relay, onEvent, closedError }: JoinedOptions) {
    this.id = model.session
    this.urls = urls
    this.#socket = socket
    this.#relay = relay
    this.#store = Store.at(model, seq)
    if (onEvent !== undefined) this.#store.onEvent((event) => onEvent(event, this.#store.model))
    this.#calls = joinCalls<ShareCalls, object>(new SocketPort(socket), {}, (news) => this.#hear(news as ShareNews))
    socket.once('close', (code, reason) => this.#over(closedError(code, reason.toString())))
  }

  get model(): SessionModel {
    return this.#store.model
  }

  get failed(): Promise<Error> {
    return this.#failed.promise
  }

  onEvent(listener: (event: SessionEvent) => void): () => void {
    return this.#store.onEvent(listener)
  }

  watch(): () => void {
    const count = (by: 1 | -1): void => {
      const before = this.#watching
      this.#watching += by
      if (before === 0 || this.#watching === 0) {
        void this.#calls.ask.watch({ on: before === 0 }).catch(() => undefined)
      }
    }
    count(1)
    let over = false
    return () => {
      if (!over) count(-1)
      over = true
    }
  }

  cancelBuild(className: string): Promise<void> {
    return this.#calls.ask.cancelBuild({ className })
  }

  reload(): Promise<void> {
    return this.#calls.ask.reload({})
  }

  rebuild(className?: string): Promise<void> {
    return this.#calls.ask.rebuild(className === undefined ? {} : { className })
  }

  object(key: ObjectKey): ObjectActions {
    if (!this.model.objects.some((object) => object.key === key)) {
      throw new MoorageError('no-object', `No object ${key} was seen in this session.`)
    }
    const { ask } = this.#calls
    const act = (action: ObjectAction) => (): Promise<void> => ask.act({ object: key, action })
    return {
      start: act('start'),
      stop: act('stop'),
      restart: act('restart'),
      destroy: act('destroy'),
      expire: act('expire'),
      runAlarm: act('runAlarm'),
      signal: (signal) => ask.signal({ object: key, signal }),
      logs: async () => [...(await ask.logs({ object: key }))],
      readFile: async (path) => (await ask.readFile({ object: key, path })).bytes,
      forward: async (port) => {
        const channel = this.#channels.next()
        const { url } = await ask.forward({ object: key, port, channel })
        return { url, close: () => ask.closeForward({ channel }) }
      },
      exec: (options) => this.#exec(key, options),
    }
  }

  process(id: ProcessId): ProcessActions {
    const { ask } = this.#calls
    return {
      signal: (signal) => ask.signalProcess({ process: id, signal }),
      write: async (bytes) => {
        const pieces = Math.ceil(bytes.length / PIECE_BYTES)
        // All at once: what is written after it comes after all of it.
        await Promise.all(
          Array.from({ length: pieces }, (_, i) =>
            ask.writeProcess({ process: id, bytes: bytes.subarray(i * PIECE_BYTES, (i + 1) * PIECE_BYTES) }),
          ),
        )
      },
      end: () => ask.endProcess({ process: id }),
      resize: (cols, rows) => ask.resizeProcess({ process: id, cols, rows }),
      output: async (onOutput) => {
        if (onOutput === undefined)
          return { ...cut(await ask.outputOfProcess({ process: id })), close: () => undefined }
        const channel = this.#channels.follow(onOutput)
        const close = (): void => {
          this.#channels.close(channel)
          void ask.unfollow({ channel }).catch(() => undefined)
        }
        try {
          return { ...cut(await ask.outputOfProcess({ process: id, channel })), close }
        } catch (error) {
          this.#channels.close(channel)
          throw error
        }
      },
    }
  }

  /** Nothing in the engine is ours. */
  async left(): Promise<number> {
    return 0
  }

  /** Leaves it; the session goes on. */
  async dispose(): Promise<void> {
    this.#left = true
    const all = [...this.#opened].map((joined) => {
      joined.close()
      return joined.closed
    })
    this.#socket.close()
    const timer = setTimeout(() => this.#socket.terminate(), FAREWELL_MS)
    await this.#closed.promise
    clearTimeout(timer)
    await within(FAREWELL_MS, Promise.all(all))
  }

  async #exec(object: ObjectKey, options: ExecOptions): Promise<OpenProcess> {
    if (this.#closed.settled) throw new MoorageError('session-ended', 'The session has ended.')
    const process = await execThrough(this.#relay, object, options, (joined) => {
      this.#opened.add(joined)
      void joined.closed.then(() => this.#opened.delete(joined))
      if (this.#closed.settled) joined.close()
    })
    const { id } = process
    await this.#told(id, () => true)
    const ended = process.ended.then(async (end) => {
      await this.#told(id, (model) => model.end !== undefined)
      return end
    })
    // These do not wait behind what was typed and is not read.
    const { signal, resize } = this.process(id)
    return { ...process, ended, signal, resize }
  }

  /** Waits until the model says of a process what the process itself has said: the two come by different ways. */
  async #told(id: ProcessId, says: (process: ProcessModel) => boolean): Promise<void> {
    const told = new Latch()
    const off = this.onEvent((event) => {
      if (event.type === 'process' && event.process.id === id && says(event.process)) told.resolve()
    })
    const known = this.model.processes.find((process) => process.id === id)
    if ((known !== undefined && says(known)) || this.#closed.settled) told.resolve()
    // The model forgets those that ended long ago.
    await within(FORGOTTEN_MS, Promise.race([told.promise, this.#closed.promise]))
    off()
  }

  async execInImage(
    className: string,
    { argv, env, cwd, user, tty, onOutput, onNote }: ExecOptions,
  ): Promise<OpenProcess> {
    const { channel, ended } = this.#channels.process({ onOutput, onNote })
    try {
      const exec = { className, argv, env, cwd, user, tty }
      const { id, pid, command } = await this.#calls.ask.execInImage({ exec, channel })
      const { signal, write, end, resize } = this.process(id)
      return { id, pid, command, ended, signal, write, end, resize }
    } catch (error) {
      this.#channels.close(channel)
      throw error
    }
  }

  #hear(news: ShareNews): void {
    if (news.news === 'event') {
      if (news.event.seq === this.#store.seq + 1) this.#store.take(news.event)
      else this.#socket.close(Closed.NOT_UNDERSTOOD, 'An event is missing.')
    } else if ('channel' in news) this.#channels.hear(news)
    else {
      const { code, message, advice } = news
      this.#failed.resolve(
        code === undefined ? new Error(message) : new MoorageError(code as ErrorCode, message, { advice }),
      )
    }
  }

  #over(error: MoorageError): void {
    const said = this.#left ? new MoorageError('session-ended', 'The session was left.') : error
    this.#calls.fail(said)
    this.#channels.lost({ at: Date.now(), lost: said.message })
    for (const joined of this.#opened) joined.close()
    if (!this.#left) this.#failed.resolve(said)
    this.#closed.resolve()
  }
}
