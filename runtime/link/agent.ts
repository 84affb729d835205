import type { Socket } from 'node:net'
import { Latch, within } from '../base/latch.ts'
import {
  type Command,
  commandFits,
  decodeCounts,
  encodeCommand,
  FromAgent,
  Step,
  Stream,
  ToAgent,
} from '../protocol/agent.ts'
import { type Frame, FrameReader, MAX_PAYLOAD_BYTES, WireError } from '../protocol/frames.ts'
import type { RunResult } from '../protocol/relay.ts'
import { Connection } from './connection.ts'
import { FrameWriter } from './frame-writer.ts'
import { LinkedProcess } from './process.ts'

/** A port of the container did not answer. `refused`: nobody listens there. */
export class DialError extends Error {
  override readonly name = 'DialError'
  readonly refused: boolean
  constructor(message: string, refused: boolean) {
    super(message)
    this.refused = refused
  }
}

const ECONNREFUSED = 111
/** RUN came a second time, as the first one's answer was lost with a link. */
const EALREADY = 114
const E2BIG = 7
const LINK_LOST = 'The link to the container was lost.'
const ASK_TIMEOUT_MS = 1_000
const DIAL_TIMEOUT_MS = 10_000

/**
 * The runtime's end of an agent's wire (protocol/agent.ts), for one container. The socket may be replaced: when the gateway
 * was lost, the agent opens the link again. What it says is hostile: unknown ids are ignored, the rest is checked.
 */
export class AgentLink {
  #socket: Socket | undefined
  #out: FrameWriter | undefined
  #up = new Latch()
  /** Why it was closed, in words; undefined while it is not. */
  #closed: string | undefined
  #heard = 0
  #lastId = 0
  /** The stream of the data that come. */
  #stream = 0
  #run: { readonly latch: Latch<RunResult>; readonly payload: Uint8Array } | undefined
  /** What there was no link for, and must not be lost. */
  #unsent: [id: number, type: number, payload: Uint8Array | undefined][] = []
  readonly #dials = new Map<number, { latch: Latch<Connection>; connection: Connection }>()
  readonly #processes = new Map<number, LinkedProcess>()
  /** Commands of processes that wait for a link. */
  readonly #unspawned = new Map<number, Uint8Array>()
  readonly #asks = new Map<number, Latch<string>>()
  readonly #onChange: (up: boolean) => void

  constructor(onChange: (up: boolean) => void) {
    this.#onChange = onChange
  }

  /** Takes over a socket whose opening was read; `rest` are bytes that came behind it. An older socket is closed. */
  adopt(socket: Socket, rest: Buffer): void {
    if (this.#closed !== undefined) {
      socket.destroy()
      return
    }
    const older = this.#socket
    if (older !== undefined) {
      this.#lost(older)
      older.destroy()
    }
    this.#socket = socket
    this.#out = new FrameWriter(socket)
    socket.setNoDelay(true)
    const reader = new FrameReader(FromAgent.DATA)
    const take = (chunk: Buffer): void => {
      this.#heard += 1
      try {
        for (const frame of reader.push(chunk)) this.#receive(frame)
      } catch (error) {
        if (!(error instanceof WireError) && !(error instanceof RangeError)) throw error
        socket.destroy()
      }
    }
    socket.on('data', take)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => this.#lost(socket))
    if (rest.length > 0) take(rest)
  }

  /** Whether there is a link now. */
  get isUp(): boolean {
    return this.#socket !== undefined
  }

  /** Whether something waits for the agent, or may come from it at any time. */
  get waits(): boolean {
    return this.#processes.size > 0 || this.#dials.size > 0
  }

  /** Grows with all that comes from the agent. */
  get heard(): number {
    return this.#heard
  }

  /** Asks for any answer. */
  poke(): void {
    this.#send(ToAgent.ASK, this.#newId(), Uint8Array.of(0))
  }

  /** Resolves when the agent has said hello, on this socket or the next. Rejects after close(). */
  get up(): Promise<void> {
    return this.#up.promise
  }

  /** Starts the app as PID 1. Once. A link that is lost meanwhile is waited for. */
  async run(command: Command): Promise<RunResult> {
    const payload = encodeCommand(command)
    if (!commandFits(command, payload)) return { errno: E2BIG, step: Step.COMMAND }
    if (this.#closed !== undefined) throw new Error(this.#closed)
    this.#run = { latch: new Latch(), payload }
    if (this.#up.settled) this.#sendCommand(ToAgent.RUN, 0, payload)
    return this.#run.latch.promise
  }

  /** Sends a signal, 1..64, to the app; without a link, when there is one again. */
  signal(signal: number): void {
    this.#sendLater(ToAgent.SIGNAL, 0, Uint8Array.of(signal))
  }

  /** Reads a fact (protocol/agent.ts Fact); empty where no answer comes in time. */
  async ask(fact: number): Promise<string> {
    if (this.#socket === undefined) return ''
    const id = this.#newId()
    const latch = new Latch<string>()
    this.#asks.set(id, latch)
    this.#send(ToAgent.ASK, id, Uint8Array.of(fact))
    const text = await within(ASK_TIMEOUT_MS, latch.promise)
    this.#asks.delete(id)
    return text ?? ''
  }

  /**
   * Connects to a port inside the container. The caller owns the connection.
   * @throws DialError where nobody listens, or the container is gone.
   */
  async dial(port: number): Promise<Connection> {
    while (this.#closed === undefined && (!this.#up.settled || this.#socket === undefined)) await this.#up.promise
    if (this.#closed !== undefined) throw new DialError(this.#closed, false)
    const id = this.#newId()
    const latch = new Latch<Connection>()
    const connection = new Connection({
      data: (bytes) => this.#out?.data(id, bytes),
      eof: () => this.#send(ToAgent.EOF, id),
      credit: (bytes) => this.#credit(id, bytes),
      close: () => {
        if (this.#dials.delete(id)) this.#send(ToAgent.CLOSE, id)
        latch.reject(new DialError('The connection broke.', false))
      },
    })
    this.#dials.set(id, { latch, connection })
    this.#send(ToAgent.DIAL, id, u16(port))
    const opened = await within(DIAL_TIMEOUT_MS, latch.promise)
    if (opened !== undefined) return opened
    connection.destroy()
    throw new DialError('The container did not take the connection in time.', false)
  }

  /**
   * Starts a process beside the app; its `started` tells how that went. The caller reads or destroys its streams. A link that
   * is down is waited for.
   */
  spawn(command: Command): LinkedProcess {
    const id = this.#newId()
    const process = new LinkedProcess(
      {
        data: (bytes) => this.#out?.data(id, bytes),
        eof: () => this.#send(ToAgent.EOF, id),
        credit: (stream, bytes) => this.#credit(id, bytes, stream),
        hangUp: (stream) => this.#sendLater(ToAgent.HANG_UP, id, Uint8Array.of(stream)),
        signal: (signal) => this.#sendLater(ToAgent.SIGNAL, id, Uint8Array.of(signal)),
        resize: (cols, rows) => this.#sendLater(ToAgent.RESIZE, id, Uint8Array.of(...u16(cols), ...u16(rows))),
        end: () => this.#sendLater(ToAgent.END, id),
        done: () => {
          if (this.#processes.delete(id)) this.#sendLater(ToAgent.EXITED, id)
        },
      },
      command,
    )
    const payload = encodeCommand(command)
    if (this.#closed !== undefined) process.onGone(new Error(this.#closed))
    else if (!commandFits(command, payload)) process.onFailed(E2BIG, Step.COMMAND)
    else {
      this.#processes.set(id, process)
      if (this.#up.settled) this.#sendCommand(ToAgent.SPAWN, id, payload)
      else {
        this.#unspawned.set(id, payload)
        process.onUnlinked()
      }
    }
    return process
  }

  /** Ends the link for good: connections break, what waits is rejected, with `why` in words. */
  close(why = 'The container has ended.'): void {
    if (this.#closed !== undefined) return
    this.#closed = why
    this.#up.reject(new DialError(why, false))
    this.#run?.latch.reject(new Error(why))
    this.#socket?.destroy()
    this.#breakAll()
    for (const process of this.#processes.values()) process.onGone(new Error(why))
    this.#processes.clear()
    this.#unspawned.clear()
  }

  #receive(frame: Frame): void {
    const payload = Buffer.from(frame.payload.buffer, frame.payload.byteOffset, frame.payload.byteLength)
    const process = this.#processes.get(frame.id)
    if (frame.type === FromAgent.DATA) this.#data(frame, payload)
    else if (process !== undefined) this.#ofProcess(process, frame, payload)
    else if (frame.type === FromAgent.EOF) {
      this.#dials.get(frame.id)?.connection.receivedEof()
    } else if (frame.type === FromAgent.CREDIT) {
      this.#dials.get(frame.id)?.connection.granted(payload.readUInt32LE(0))
    } else if (frame.type === FromAgent.OPENED) {
      const dial = this.#dials.get(frame.id)
      dial?.latch.resolve(dial.connection)
    } else if (frame.type === FromAgent.COUNTS) {
      // A process that was started while the link broke, or whose end was told twice.
      this.#send(ToAgent.END, frame.id)
      this.#send(ToAgent.CLOSE, frame.id)
    } else if (frame.type === FromAgent.FAILED) this.#failed(frame.id, payload)
    else if (frame.type === FromAgent.HELLO) this.#hello(payload[0] === 1)
    else if (frame.type === FromAgent.STARTED && frame.id === 0) {
      this.#run?.latch.resolve({ pid: payload.readUInt32LE(0) })
    } else if (frame.type === FromAgent.FACT) this.#asks.get(frame.id)?.resolve(payload.subarray(1).toString('latin1'))
  }

  /** Data comes in parts; the first one tells the stream of them all. */
  #data({ id, at }: Frame, payload: Buffer): void {
    if (at === 0) this.#stream = payload.readUInt8(0)
    const bytes = at === 0 ? payload.subarray(1) : payload
    if (bytes.length === 0) return
    const process = this.#processes.get(id)
    if (process !== undefined) process.onData(this.#stream, bytes)
    else if (this.#stream === Stream.CONNECTION) this.#dials.get(id)?.connection.received(bytes)
  }

  #ofProcess(process: LinkedProcess, { type, id }: Frame, payload: Buffer): void {
    if (type === FromAgent.EOF) process.onEof(payload.readUInt8(0))
    else if (type === FromAgent.COUNTS) process.onCounts(decodeCounts(payload))
    else if (type === FromAgent.CREDIT) process.onCredit(payload.readUInt32LE(0))
    else if (type === FromAgent.STARTED) process.onStarted(payload.readUInt32LE(0))
    else if (type === FromAgent.EXIT) process.onExit(payload.readUInt32LE(0), payload.readUInt8(4))
    else if (type === FromAgent.FAILED) {
      this.#processes.delete(id)
      process.onFailed(payload.readUInt32LE(0), payload.readUInt8(4))
    }
  }

  #failed(id: number, payload: Buffer): void {
    const errno = payload.readUInt32LE(0)
    if (id === 0) {
      if (errno !== EALREADY) this.#run?.latch.resolve({ errno, step: payload.readUInt8(4) })
      return
    }
    const dial = this.#dials.get(id)
    if (dial === undefined) return
    this.#dials.delete(id)
    dial.latch.reject(new DialError(`The connection was not taken (errno ${errno}).`, errno === ECONNREFUSED))
    dial.connection.on('error', () => undefined)
    dial.connection.destroy(new Error(`The connection broke (errno ${errno}).`))
  }

  #hello(appRuns: boolean): void {
    if (this.#up.settled) return
    this.#up.resolve()
    // A RUN or its answer may have been lost with the link before.
    if (this.#run !== undefined && !this.#run.latch.settled) {
      if (appRuns) this.#run.latch.resolve({ pid: 1 })
      else this.#sendCommand(ToAgent.RUN, 0, this.#run.payload)
    }
    for (const [id, process] of [...this.#processes]) if (!process.isStarted) this.#spawnNow(id, process)
    this.#unspawned.clear()
    for (const [id, type, payload] of this.#unsent.splice(0)) this.#send(type, id, payload)
    this.#onChange(true)
  }

  /** There is a link again: starts a process that waited for it. Whether one was started that was under way, nobody knows. */
  #spawnNow(id: number, process: LinkedProcess): void {
    const payload = this.#unspawned.get(id)
    if (payload === undefined) {
      this.#processes.delete(id)
      process.onGone(new Error(LINK_LOST))
    } else {
      this.#sendCommand(ToAgent.SPAWN, id, payload)
      process.onCounts({ stdin: 0, stdout: 0, stderr: 0, stdinOver: false })
    }
  }

  #lost(socket: Socket): void {
    if (this.#socket !== socket) return
    this.#socket = undefined
    this.#out = undefined
    this.#breakAll()
    for (const process of this.#processes.values()) process.onUnlinked()
    if (this.#closed !== undefined) return
    if (this.#up.settled) this.#up = new Latch()
    this.#onChange(false)
  }

  #breakAll(): void {
    for (const [id, { latch, connection }] of [...this.#dials]) {
      this.#dials.delete(id)
      latch.reject(new DialError(LINK_LOST, false))
      connection.on('error', () => undefined)
      connection.destroy(new Error(LINK_LOST))
    }
    for (const latch of this.#asks.values()) latch.resolve('')
  }

  #newId(): number {
    this.#lastId = this.#lastId >= 0x7fff_ffff ? 1 : this.#lastId + 1
    return this.#lastId
  }

  #credit(id: number, bytes: number, stream: number = Stream.CONNECTION): void {
    const payload = new Uint8Array(5)
    payload[0] = stream
    new DataView(payload.buffer).setUint32(1, bytes, true)
    this.#send(ToAgent.CREDIT, id, payload)
  }

  /** Without a link, when there is one again. */
  #sendLater(type: number, id: number, payload?: Uint8Array): void {
    if (this.#up.settled) this.#send(type, id, payload)
    else if (this.#closed === undefined) this.#unsent.push([id, type, payload])
  }

  #sendCommand(type: number, id: number, payload: Uint8Array): void {
    let at = 0
    for (; payload.length - at > MAX_PAYLOAD_BYTES; at += MAX_PAYLOAD_BYTES)
      this.#send(ToAgent.PART, id, payload.subarray(at, at + MAX_PAYLOAD_BYTES))
    this.#send(type, id, payload.subarray(at))
  }

  #send(type: number, id: number, payload?: Uint8Array): void {
    this.#out?.send(type, id, payload)
  }
}

function u16(value: number): Uint8Array {
  return Uint8Array.of(value & 0xff, value >> 8)
}
