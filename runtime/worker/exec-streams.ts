/**
 * The three streams of a process. Output is fetched when it is first read, so that a process whose output nobody wants
 * costs one request, and holds nothing. Bytes wait at the process's own pipe, not here.
 */

import { ERROR, type Refusal } from '../protocol/worker.ts'
import { CONNECTION_LOST, refusalError } from './check.ts'

/** Opens a stream: the answer that bears its bytes. */
export type Open = () => Promise<Response>

/** Bytes of one read: a pipe's worth. workerd's own streams read 4 KiB at a time unless they are asked for more. */
const CHUNK_BYTES = 65_536

/** Once a stream broke, how long the process's end is waited for: it says more of what happened. */
export const LAST_WORD_MS = 1_000

/** stdout or stderr, as the Worker has it. */
export class Output {
  readonly #open: Open
  readonly readable: ReadableStream<Uint8Array>
  readonly #waiting: (change: 1 | -1) => void
  readonly #exit: () => Promise<unknown>
  #disturbed = false
  #opened = false
  #reader: Promise<ReadableStreamBYOBReader> | undefined

  /**
   * @param waiting is told as reading begins and ends: in between the object stays in memory, though the process has ended.
   * @param exit asks for the process's end.
   */
  constructor(open: Open, waiting: (change: 1 | -1) => void = () => {}, exit: () => Promise<unknown> = async () => 0) {
    this.#open = () => {
      this.#opened = true
      waiting(1)
      return open()
    }
    this.#waiting = waiting
    this.#exit = exit
    this.readable = new ReadableStream({
      type: 'bytes',
      autoAllocateChunkSize: CHUNK_BYTES,
      pull: (controller) => this.#pull(controller),
      cancel: (reason) => this.#cancel(reason),
    })
  }

  /** Whether someone has begun to read it, or said that he will not. */
  get disturbed(): boolean {
    return this.#disturbed
  }

  /** All of it at once. Nobody else can read it afterwards. @throws TypeError where someone holds it. */
  readAll(): Promise<ArrayBuffer> {
    this.readable.getReader()
    return this.#open()
      .then(async (response) => {
        await check(response)
        return response.arrayBuffer()
      })
      .finally(() => this.#over())
  }

  /** Nothing more is read. */
  #over(): void {
    if (this.#opened) this.#waiting(-1)
    this.#opened = false
  }

  #pull(controller: ReadableByteStreamController): Promise<void> {
    this.#disturbed = true
    return this.#read(controller).catch(async (error: unknown) => {
      this.#over()
      // An end that rejects says more of what happened.
      await Promise.race([this.#exit(), new Promise((resolve) => setTimeout(resolve, LAST_WORD_MS))])
      throw error
    })
  }

  async #read(controller: ReadableByteStreamController): Promise<void> {
    this.#reader ??= this.#open().then(async (response) => {
      const body = await check(response)
      return body.getReader({ mode: 'byob' })
    })
    const reader = await this.#reader
    // There is none where workerd itself reads, to send the bytes on: as the body of a response, or over RPC.
    const request = controller.byobRequest
    const { done, value } = await reader.read(request?.view ?? new Uint8Array(CHUNK_BYTES))
    if (done) {
      this.#over()
      controller.close()
    }
    if (request) request.respondWithNewView(value as Uint8Array)
    else if (!done) controller.enqueue(value)
  }

  async #cancel(reason: unknown): Promise<void> {
    const opened = this.#disturbed
    this.#disturbed = true
    // Not opened, it is opened now: only so the runtime hears that nobody wants what the process writes.
    const reader = this.#reader ?? (opened ? undefined : this.#open().then((response) => response.body ?? undefined))
    try {
      await (await reader)?.cancel(reason)
    } finally {
      this.#over()
    }
  }
}

/** Why nothing more can be written to stdin. */
const ENDED = 'The process has ended: nobody reads its stdin any more.'

/** stdin, as the Worker has it where it writes by itself. */
export class Input {
  readonly writable: WritableStream
  #controller: WritableStreamDefaultController | undefined

  /**
   * @param sink the body of a request. Never aborted: workerd would tell the developer of an error that is none of theirs.
   * @param exit asks for the process's end.
   */
  constructor(sink: WritableStream, exit: () => Promise<unknown>) {
    const writer = sink.getWriter()
    writer.closed.catch(() => {})
    const why = async (error: unknown): Promise<never> => {
      if (error instanceof TypeError) throw error
      const ended = exit().then(
        () => true,
        () => true,
      )
      const late = new Promise<false>((resolve) => setTimeout(() => resolve(false), LAST_WORD_MS))
      throw (await Promise.race([ended, late])) ? new Error(ENDED) : error
    }
    this.writable = new WritableStream({
      start: (controller) => {
        this.#controller = controller
      },
      write: (chunk) => writer.write(chunk).catch(why),
      close: () => writer.close().catch(why),
      // Whatever the reason, for the process it is the end of what it reads.
      abort: () => writer.close().catch(() => {}),
    })
  }

  /** The process has ended: whoever writes hears of it. */
  ended(): void {
    this.#controller?.error(new Error(ENDED))
  }
}

/**
 * Writes all that a stream has into another, and ends it; an error of either side ends the other. Never rejects, and never aborts.
 * By hand: a stream made by a Worker's own code is not pumped behind a closed gate where it is a request's body, and two of
 * workerd's identity streams piped into each other wait for each other for ever.
 */
export async function feed(source: ReadableStream, sink: WritableStream): Promise<void> {
  const writer = sink.getWriter()
  writer.closed.catch(() => {})
  const read = reads(source)
  try {
    for (let chunk = await read.next(); chunk !== undefined; chunk = await read.next()) {
      try {
        await writer.write(chunk)
      } catch (error) {
        await read.cancel(error)
        return
      }
    }
  } catch {
    // The source broke off: for the process, that is the end of what it reads.
  }
  await writer.close().catch(() => {})
}

/** Reads much at a time where the stream can. */
function reads(source: ReadableStream): { next(): Promise<unknown>; cancel(reason: unknown): Promise<void> } {
  const cancelled = (reader: ReadableStreamBYOBReader | ReadableStreamDefaultReader) => (reason: unknown) =>
    reader.cancel(reason).catch(() => {})
  const byob = byobReader(source)
  if (byob) {
    let buffer = new ArrayBuffer(CHUNK_BYTES)
    return {
      next: async () => {
        const { done, value } = await byob.read(new Uint8Array(buffer))
        if (done) return undefined
        buffer = value.buffer.byteLength === CHUNK_BYTES ? (value.buffer as ArrayBuffer) : new ArrayBuffer(CHUNK_BYTES)
        return value
      },
      cancel: cancelled(byob),
    }
  }
  const reader = source.getReader()
  return {
    next: async () => {
      const { done, value } = await reader.read()
      return done ? undefined : value
    },
    cancel: cancelled(reader),
  }
}

function byobReader(source: ReadableStream): ReadableStreamBYOBReader | undefined {
  try {
    return source.getReader({ mode: 'byob' })
  } catch {
    return undefined
  }
}

/** The body of an answer to a stream's request. @throws Error where the stream is not to be had. */
async function check(response: Response): Promise<ReadableStream> {
  if (response.status === 200 && response.body) return response.body
  await response.body?.cancel()
  const refused = response.headers.get(ERROR)
  throw refused === null ? new Error(CONNECTION_LOST) : refusalError(JSON.parse(decodeURIComponent(refused)) as Refusal)
}
