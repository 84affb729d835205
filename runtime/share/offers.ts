/** What a session offers to one who joins it: its front door, over the wire. */
import { z } from 'zod'
import { Scope } from '../base/scope.ts'
import type { KeptOutput, OpenProcess, Session } from '../front.ts'
import { MoorageError } from '../protocol/errors.ts'
import type { ObjectKey, ProcessId } from '../protocol/model.ts'
import type { OutputPart } from '../protocol/relay.ts'
import type { ObjectAction, ShareCalls, ShareExec, ShareNews, SharePiece } from '../protocol/share.ts'
import type { Offered } from '../relay/calls.ts'
import { Window } from './window.ts'

const HANGUP = 1
const KILL = 9

const key = z.custom<ObjectKey>((value) => typeof value === 'string')
const processId = z.custom<ProcessId>((value) => typeof value === 'string')
const bytes = z.custom<Uint8Array>((value) => value instanceof Uint8Array)
const channel = z.number().int().min(1)
const signal = z.number().int().min(1).max(64)
const size = { cols: z.number().int().min(1).max(65_535), rows: z.number().int().min(1).max(65_535) }
const actions = ['start', 'stop', 'restart', 'destroy', 'expire', 'runAlarm'] as const satisfies ObjectAction[]
const exec: z.ZodType<ShareExec> = z.object({
  className: z.string(),
  argv: z.array(z.string()),
  env: z.record(z.string(), z.string()).optional(),
  cwd: z.string().optional(),
  user: z.string().optional(),
  tty: z.object(size).optional(),
})
const taken = z.object({ news: z.literal('taken'), channel, size: z.number().int().min(0) })

/** One who joined: what it asks is done by the session, what it opened is closed when it goes. */
export class Offers {
  readonly calls: Offered<ShareCalls>
  readonly #session: Session
  readonly #tell: (news: ShareNews) => void
  readonly #scope = new Scope()
  /** By channel: how to close what was opened there. */
  readonly #open = new Map<number, () => void | Promise<void>>()
  readonly #windows = new Map<number, Window>()
  #unwatch: (() => void) | undefined

  constructor(session: Session, tell: (news: ShareNews) => void) {
    this.#session = session
    this.#tell = tell
    this.#scope.own(() => this.#unwatch?.())
    this.calls = {
      watch: asked(z.object({ on: z.boolean() }), ({ on }) => {
        this.#unwatch?.()
        this.#unwatch = on ? session.watch() : undefined
      }),
      reload: asked(z.object({}), () => session.reload()),
      rebuild: asked(z.object({ className: z.string().optional() }), ({ className }) => session.rebuild(className)),
      cancelBuild: asked(z.object({ className: z.string() }), ({ className }) => session.cancelBuild(className)),
      act: asked(z.object({ object: key, action: z.enum(actions) }), ({ object, action }) =>
        session.object(object)[action](),
      ),
      signal: asked(z.object({ object: key, signal }), (args) => session.object(args.object).signal(args.signal)),
      logs: asked(z.object({ object: key }), ({ object }) => session.object(object).logs()),
      readFile: asked(z.object({ object: key, path: z.string() }), async ({ object, path }) => ({
        bytes: await session.object(object).readFile(path),
      })),
      forward: asked(z.object({ object: key, port: z.number().int().min(1).max(65_535), channel }), async (args) => {
        const forward = await session.object(args.object).forward(args.port)
        this.#own(args.channel, () => forward.close())
        return { url: forward.url }
      }),
      closeForward: asked(z.object({ channel }), (args) => this.#close(args.channel)),
      execInImage: asked(z.object({ exec, channel }), (args) => this.#execInImage(args.exec, args.channel)),
      signalProcess: asked(z.object({ process: processId, signal }), (args) =>
        session.process(args.process).signal(args.signal),
      ),
      writeProcess: asked(z.object({ process: processId, bytes }), (args) =>
        session.process(args.process).write(args.bytes),
      ),
      endProcess: asked(z.object({ process: processId }), ({ process }) => session.process(process).end()),
      resizeProcess: asked(z.object({ process: processId, ...size }), ({ process, cols, rows }) =>
        session.process(process).resize(cols, rows),
      ),
      outputOfProcess: asked(z.object({ process: processId, channel: channel.optional() }), (args) =>
        this.#output(args.process, args.channel),
      ),
      unfollow: asked(z.object({ channel }), (args) => this.#close(args.channel)),
    }
  }

  /** It told something. */
  hear(news: unknown): void {
    const told = taken.safeParse(news).data
    if (told !== undefined) this.#windows.get(told.channel)?.taken(told.size)
  }

  /** It is gone. */
  async close(): Promise<void> {
    for (const window of this.#windows.values()) window.close()
    await this.#scope.close()
  }

  async #execInImage(
    { className, ...options }: ShareExec,
    number: number,
  ): Promise<Pick<OpenProcess, 'id' | 'pid' | 'command'>> {
    const tell = this.#tell
    const window = new Window()
    if (this.#scope.closed) window.close()
    this.#windows.set(number, window)
    const told = {
      ...options,
      onOutput: (stream: OutputPart['stream'], piece: Uint8Array): Promise<void> | void => {
        tell({ news: 'output', channel: number, stream, bytes: piece })
        return window.told(piece.length)
      },
      onNote: (text: string): void => tell({ news: 'note', channel: number, text }),
    }
    const process = await this.#session.execInImage(className, told).catch((error: unknown) => {
      this.#windows.delete(number)
      throw error
    })
    const disown = this.#own(number, () => process.signal(options.tty === undefined ? KILL : HANGUP))
    void process.ended.then((end) => {
      disown()
      this.#windows.delete(number)
      tell({ news: 'ended', channel: number, end })
    })
    const { id, pid, command } = process
    return { id, pid, command }
  }

  async #output(id: ProcessId, number: number | undefined): Promise<FlatOutput> {
    const process = this.#session.process(id)
    const kept = await (number === undefined
      ? process.output()
      : process.output((stream, bytes, lostBytes) =>
          this.#tell({ news: 'output', channel: number, stream, bytes, lostBytes }),
        ))
    if (number !== undefined) this.#own(number, () => kept.close())
    return flat(kept)
  }

  /** Closes it with the joining, or before by its channel; the function returned forgets it. */
  #own(number: number, close: () => void | Promise<void>): () => void {
    const disown = this.#scope.own(close)
    const forget = (): void => {
      disown()
      this.#open.delete(number)
    }
    this.#open.set(number, () => {
      forget()
      return close()
    })
    return forget
  }

  async #close(number: number): Promise<void> {
    await this.#open.get(number)?.()
  }
}

type FlatOutput = ReturnType<ShareCalls['outputOfProcess']>

function flat({ head, lostBytes, tail }: KeptOutput): FlatOutput {
  const sizes = (parts: readonly OutputPart[]): SharePiece[] =>
    parts.map((part) => ({ stream: part.stream, size: part.bytes.length }))
  const all = Buffer.concat([...head, ...tail].map((part) => part.bytes))
  return { head: sizes(head), lostBytes, tail: sizes(tail), bytes: all }
}

/** A call whose args are checked where they enter. */
function asked<A, R>(schema: z.ZodType<A>, call: (args: A) => R): (args: unknown) => R {
  return (args) => {
    const { data, error } = schema.safeParse(args)
    if (error !== undefined)
      throw new MoorageError('other-version', 'The session did not understand what it was asked.')
    return call(data as A)
  }
}
