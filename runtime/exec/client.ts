/** The relay's end of the wire to a terminal that joins a session (protocol/client.ts). */
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { type RawData, type WebSocket, WebSocketServer } from 'ws'
import { z } from 'zod'
import { parsed } from '../link/worker-messages.ts'
import { CLIENT_VERSION, type FromClient, type Open, Source, type ToClient } from '../protocol/client.ts'
import { MoorageError } from '../protocol/errors.ts'
import type { ObjectKey } from '../protocol/model.ts'
import type { People } from './people.ts'
import type { Process } from './process.ts'

const MAX_MESSAGE_BYTES = 4_194_304
/** Above this the client is slow, and the process waits. */
const HIGH_BYTES = 1_048_576
const HANGUP = 1
/** So long may a program on a terminal take to leave after its terminal did. */
const HANGUP_MS = 1_000

const size = { cols: z.number().int().min(1).max(65_535), rows: z.number().int().min(1).max(65_535) }
const open = z.object({
  version: z.number(),
  object: z.string(),
  argv: z.array(z.string()),
  env: z.record(z.string(), z.string()),
  cwd: z.string().optional(),
  user: z.string().optional(),
  stdin: z.boolean(),
  tty: z.object(size).optional(),
})
const fromClient = z.discriminatedUnion('type', [
  z.object({ type: z.literal('signal'), signal: z.number().int().min(1).max(64) }),
  z.object({ type: z.literal('resize'), ...size }),
  z.object({ type: z.literal('eof') }),
])

/** Serves terminals, each with one process that ends when its terminal goes. */
export class ClientLink {
  readonly #server = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE_BYTES })
  readonly #people: People
  readonly #find: (text: string) => Promise<ObjectKey>
  readonly #why: (object: ObjectKey, life: number) => Promise<string | null>

  /**
   * @param find the object that someone means; rejects with MoorageError where none, or several.
   * @param why a life ended, in a sentence; null where that is not known. Never rejects.
   */
  constructor(
    people: People,
    find: (text: string) => Promise<ObjectKey>,
    why: (object: ObjectKey, life: number) => Promise<string | null>,
  ) {
    this.#people = people
    this.#find = find
    this.#why = why
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#server.handleUpgrade(request, socket, head, (client) => {
      client.on('error', () => client.terminate())
      client.once('message', (data) => {
        void this.#open(client, data)
          .catch((error: unknown) => {
            const { code, message, advice } =
              error instanceof MoorageError ? error : new MoorageError('start-failed', String(error))
            send(client, { type: 'refused', code, message, advice })
          })
          .finally(() => client.close())
      })
    })
  }

  async #open(client: WebSocket, data: RawData): Promise<void> {
    const asked = parsed(open, textOf(data)) as Open | undefined
    if (asked === undefined)
      throw new MoorageError('start-failed', 'The session did not understand what this terminal asks for.')
    if (asked.version !== CLIENT_VERSION) {
      throw new MoorageError(
        'other-version',
        `The session speaks version ${CLIENT_VERSION}, this terminal ${asked.version}.`,
        {
          advice: ['Use the moorage that runs the session.'],
        },
      )
    }
    // What is typed before the process runs waits for it.
    const early: { data: RawData; isBinary: boolean }[] = []
    const keep = (typed: RawData, isBinary: boolean): void => void early.push({ data: typed, isBinary })
    client.on('message', keep)
    const object = await this.#find(asked.object)
    const process = await this.#people.open(
      object,
      {
        argv: asked.argv,
        env: asked.env,
        cwd: asked.cwd,
        user: asked.user,
        stdin: asked.stdin,
        stdout: 'pipe',
        stderr: 'pipe',
        pty: asked.tty,
      },
      (text) => send(client, { type: 'note', text }),
    )
    const { id, pid, command } = process.model
    send(client, { type: 'started', id, pid, command })
    client.off('message', keep)
    const take = (typed: RawData, isBinary: boolean): void => void this.#take(client, process, typed, isBinary)
    for (const { data: typed, isBinary } of early) take(typed, isBinary)
    client.on('message', take)
    client.on('close', () => {
      hangUp(process)
      process.stdout?.destroy()
      process.stderr?.destroy()
    })
    await this.#serve(client, process)
  }

  async #serve(client: WebSocket, process: Process): Promise<void> {
    const streams = [pass(client, process.stdout, Source.STDOUT), pass(client, process.stderr, Source.STDERR)]
    const ended = await process.exit.then(
      () => Promise.all(streams),
      () => undefined,
    )
    const end = process.model.end ?? { at: Date.now() }
    if (ended !== undefined && end.lost === undefined) {
      send(client, { type: 'ended', end })
      return
    }
    const { object, life } = process.place
    const lost = (await this.#why(object, life)) ?? end.lost ?? 'It was lost.'
    send(client, { type: 'ended', end: { ...end, lost } })
  }

  async #take(client: WebSocket, process: Process, data: RawData, isBinary: boolean): Promise<void> {
    if (isBinary) {
      client.pause()
      await process.write(bytesOf(data))
      client.resume()
      return
    }
    const message = parsed(fromClient, textOf(data)) as FromClient | undefined
    if (message?.type === 'signal') process.kill(message.signal)
    else if (message?.type === 'resize') process.resize(message.cols, message.rows)
    else if (message?.type === 'eof') process.end()
  }
}

/** Its terminal or its client is gone, and with it whoever could end what is left. */
function hangUp(process: Process): void {
  if (!process.model.terminal || process.model.end !== undefined) {
    process.endAll()
    return
  }
  process.kill(HANGUP)
  setTimeout(() => process.endAll(), HANGUP_MS).unref()
}

/** Sends what a stream brings, no faster than the client takes it. Resolves at its end. */
function pass(client: WebSocket, stream: Process['stdout'], source: number): Promise<void> {
  if (stream === undefined) return Promise.resolve()
  stream.on('data', (bytes: Buffer) => {
    if (client.readyState !== client.OPEN) return
    client.send(Buffer.concat([Buffer.of(source), bytes]), () => {
      if (client.bufferedAmount < HIGH_BYTES) stream.resume()
    })
    if (client.bufferedAmount > HIGH_BYTES) stream.pause()
  })
  return new Promise((resolve) => stream.once('close', resolve))
}

function send(client: WebSocket, message: ToClient): void {
  if (client.readyState === client.OPEN) client.send(JSON.stringify(message))
}

function bytesOf(data: RawData): Buffer {
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data as ArrayBuffer)
}

function textOf(data: RawData): string {
  return bytesOf(data).toString('utf8')
}
