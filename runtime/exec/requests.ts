/** The relay's end of what isolates ask about processes (protocol/worker.ts). */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { z } from 'zod'
import { bodyText, refuse } from '../link/answers.ts'
import type { InstanceRoute } from '../link/instances.ts'
import { SpawnError } from '../link/process.ts'
import { parsed } from '../link/worker-messages.ts'
import { explainErrno } from '../protocol/errno.ts'
import type { ExecRequest, Tell } from '../protocol/worker.ts'
import * as wire from '../protocol/worker.ts'
import { takeBody } from './bodies.ts'
import { commandOf } from './command.ts'
import type { ExecPlace, Process } from './process.ts'
import type { Processes } from './processes.ts'

/** Ended processes of one instance that can still be read, and the unread bytes of all of them; the oldest are let go. */
const ENDED = 4_096
const UNREAD_BYTES = 16_777_216
const GONE = 410
/** The longest exec, in bytes of JSON: more than any kernel takes, and room to say so of what is longer still. */
const MAX_EXEC_BYTES = 67_108_864

const size = z.object({ cols: z.number().int().min(1).max(65_535), rows: z.number().int().min(1).max(65_535) })
const execRequest = z.object({
  process: z.number().int(),
  cmd: z.array(z.string()).min(1),
  env: z.record(z.string(), z.string()),
  cwd: z.string().optional(),
  user: z.string().optional(),
  stdin: z.boolean(),
  stdout: z.enum(['pipe', 'ignore']),
  stderr: z.enum(['pipe', 'ignore', 'combined']),
  pty: size.optional(),
  stack: z.string().max(20_000).optional(),
})
const tell = z.union([z.object({ signal: z.number().int().min(1).max(64) }), size])

/** One instance's processes. */
class OfInstance {
  /** By the isolate's own numbers. A later request waits for a start that is under way. */
  readonly started = new Map<number, Promise<Process>>()
  readonly #ended: { readonly number: number; readonly process: Process }[] = []

  /** One ended: it can be read for a while. */
  ended(number: number, process: Process): void {
    this.#ended.push({ number, process })
    let unread = this.#ended.reduce((sum, one) => sum + unreadBytes(one.process), 0)
    while (this.#ended.length > 1 && (this.#ended.length > ENDED || unread > UNREAD_BYTES)) {
      const oldest = this.#ended.shift()
      if (oldest === undefined) return
      unread -= unreadBytes(oldest.process)
      this.started.delete(oldest.number)
      discard(oldest.process)
    }
  }
}

/** What a life's container has for an exec; undefined where none runs. */
export type FindPlace = (instance: InstanceRoute) => Promise<ExecPlace | undefined>

/** Execs that the Worker asks for. They end with the instance that started them. */
export class ExecRequests {
  readonly #processes: Processes
  readonly #place: FindPlace
  readonly #source: (stack: string) => Promise<string | undefined>
  readonly #instances = new Map<string, OfInstance>()

  /** @param source tells the line of the developer's code that a stack leads to, where that can be told. */
  constructor(processes: Processes, place: FindPlace, source: (stack: string) => Promise<string | undefined>) {
    this.#processes = processes
    this.#place = place
    this.#source = source
  }

  /** Takes a request for /exec or /process/…; it is answered by this. */
  async request(instance: InstanceRoute, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? ''
    if (path === '/exec') {
      await this.#exec(instance, request, response)
      return
    }
    const [, , number = '', part = ''] = path.split('/')
    // stdin may arrive before the exec that it belongs to.
    if (part !== 'tell') await instance.after(Number(request.headers[wire.SEQ] ?? 0))
    const found = this.#instances.get(instance.id)?.started.get(Number(number))
    if (part === 'tell') {
      const seq = Number(request.headers[wire.SEQ])
      await this.#takeTell(instance, seq, path, await bodyText(request)).finally(() => instance.answered(seq))
      response.writeHead(204).end()
      return
    }
    const process = await found?.catch(() => undefined)
    if (part === 'stdin') await this.#stdin(process, request, response)
    else if (process === undefined || (part !== 'stdout' && part !== 'stderr')) response.writeHead(GONE).end()
    else this.#output(process, part, response)
  }

  /** Takes up a request ahead of itself; its answer is kept for it. */
  ahead(instance: InstanceRoute, { ahead: seq, path, body }: wire.Ahead): void {
    const taking = path === '/exec' ? this.#take(instance, seq, body) : this.#takeTell(instance, seq, path, body)
    taking.catch(() => undefined)
  }

  /** The instance is gone: its processes end. */
  detached(instance: string): void {
    const processes = this.#instances.get(instance)
    this.#instances.delete(instance)
    for (const process of processes?.started.values() ?? []) {
      process.then(
        (started) => {
          started.endAll()
          discard(started)
        },
        () => undefined,
      )
    }
  }

  async #exec(instance: InstanceRoute, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const seq = Number(request.headers[wire.SEQ])
    const text = await bodyText(request, MAX_EXEC_BYTES)
    const starting = this.#take(instance, seq, text)
    try {
      const { process, number } = await starting
      await answer(process, response)
      this.#instances.get(instance.id)?.ended(number, process)
    } catch (error) {
      refuse(response, instance, { message: error instanceof Error ? error.message : String(error) }, 400)
    } finally {
      instance.answered(seq)
    }
  }

  /** Takes up an exec in its turn, and starts it. */
  #take(instance: InstanceRoute, seq: number, text: string): Promise<{ process: Process; number: number }> {
    const asked = parsed(execRequest, text) as ExecRequest | undefined
    return instance.once(seq, async () => {
      if (asked === undefined) throw new Error('Moorage did not understand a call of the Worker.')
      const number = asked.process
      const starting = this.#start(instance, asked)
      const processes = this.#instances.get(instance.id) ?? new OfInstance()
      this.#instances.set(instance.id, processes)
      processes.started.set(number, starting)
      starting.catch(() => processes.started.delete(number))
      return { process: await starting, number }
    })
  }

  async #start(instance: InstanceRoute, asked: ExecRequest): Promise<Process> {
    const place = await this.#place(instance)
    if (place === undefined) throw new Error('exec() cannot be called on a container that is not running.')
    const options = {
      argv: asked.cmd,
      env: asked.env,
      cwd: asked.cwd,
      user: asked.user,
      stdin: asked.stdin,
      stdout: asked.stdout,
      stderr: asked.stderr,
      pty: asked.pty,
      by: 'worker',
    } as const
    const process = this.#processes.open(place, options)
    // Told when it is known: an exec waits for nothing that only people look at.
    if (asked.stack !== undefined) {
      this.#source(asked.stack).then(
        (source) => source !== undefined && process.comesFrom(source),
        () => undefined,
      )
    }
    try {
      await process.started
    } catch (error) {
      if (!(error instanceof SpawnError)) throw error
      throw new Error(`exec() failed: ${explainErrno(error.errno, error.step, commandOf(options, place.app))}`)
    }
    return process
  }

  /** Takes up in its turn what a process is told. */
  #takeTell(instance: InstanceRoute, seq: number, path: string, text: string): Promise<void> {
    const told = parsed(tell, text) as Tell | undefined
    return instance.once(seq, async () => {
      const number = Number(path.split('/')[2])
      const process = await this.#instances
        .get(instance.id)
        ?.started.get(number)
        ?.catch(() => undefined)
      if (told !== undefined && 'signal' in told) process?.kill(told.signal)
      else if (told !== undefined) process?.resize(told.cols, told.rows)
    })
  }

  async #stdin(process: Process | undefined, request: IncomingMessage, response: ServerResponse): Promise<void> {
    // Once the process has ended, it wants no more: breaking off is how the isolate's writer hears of it.
    const broken = (): void => {
      if (!response.writableEnded) response.destroy()
    }
    if (process === undefined) broken()
    else process.exit.then(broken, broken)
    try {
      if (process !== undefined) await takeBody(request, process)
      process?.end()
      response.writeHead(204).end()
    } catch {
      // The isolate broke off what it was sending: that is an end, too.
      process?.end()
      response.destroy()
    }
  }

  #output(process: Process, part: 'stdout' | 'stderr', response: ServerResponse): void {
    const stream = process[part]
    if (stream === undefined || stream.destroyed) {
      response
        .writeHead(stream?.readableEnded === true ? 200 : GONE, { 'content-type': 'application/octet-stream' })
        .end()
      return
    }
    response.writeHead(200, { 'content-type': 'application/octet-stream' })
    response.flushHeaders()
    stream.on('error', () => response.destroy())
    // Who stops reading wants no more of it, and the process is to know, as in any pipeline.
    response.on('close', () => process.hangUp(part))
    stream.pipe(response)
  }
}

/** Sends the pid, then the end. */
async function answer(process: Process, response: ServerResponse): Promise<void> {
  response.writeHead(200, { 'content-type': 'application/x-ndjson' })
  response.write(`${JSON.stringify({ pid: process.model.pid } satisfies wire.Started)}\n`)
  let ended: wire.Ended
  try {
    const { exitCode } = await process.exit
    ended = { exitCode }
  } catch (error) {
    ended = { failure: { message: error instanceof Error ? error.message : String(error) } }
  }
  response.end(`${JSON.stringify(ended)}\n`)
}

/** Throws away what nobody reads. */
function discard(process: Process): void {
  for (const stream of [process.stdout, process.stderr]) if (stream?.readableFlowing === null) stream.destroy()
}

function unreadBytes(process: Process): number {
  return (process.stdout?.readableLength ?? 0) + (process.stderr?.readableLength ?? 0)
}
