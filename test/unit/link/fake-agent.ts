/** The agent's end of its wire: scripted by a test frame by frame, or dialling real loopback servers. */
import { connect, type Socket } from 'node:net'
import { FromAgent, Stream, ToAgent } from '../../../runtime/protocol/agent.ts'
import {
  encodeFrame,
  type Frame,
  FrameReader,
  MAX_PAYLOAD_BYTES,
  WINDOW_BYTES,
} from '../../../runtime/protocol/frames.ts'

const NAMES = new Map<number, string>(Object.entries(ToAgent).map(([name, type]) => [type, name]))
const ECONNREFUSED = 111

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

/** Says nothing by itself; what it hears is there to be asked for, in order. */
export class ScriptedAgent {
  readonly socket: Socket
  readonly #frames: Frame[] = []
  readonly #waiting: ((frame: Frame) => void)[] = []

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('end', () => socket.end())
    const reader = new FrameReader()
    socket.on('data', (chunk) => {
      for (const taken of reader.push(chunk)) {
        const frame = { ...taken, payload: Buffer.from(taken.payload) }
        const waiter = this.#waiting.shift()
        if (waiter === undefined) this.#frames.push(frame)
        else waiter(frame)
      }
    })
  }

  /** The next frame as `NAME id payload in hex`. */
  async next(): Promise<string> {
    const { type, id, payload } = await this.frame()
    return [NAMES.get(type), id, Buffer.from(payload).toString('hex')].join(' ').trimEnd()
  }

  frame(): Promise<Frame> {
    const frame = this.#frames.shift()
    return frame === undefined ? new Promise((resolve) => this.#waiting.push(resolve)) : Promise.resolve(frame)
  }

  send(type: number, id: number, payload: Uint8Array = new Uint8Array()): void {
    this.socket.write(encodeFrame(type, id, payload))
  }

  hello(appRuns = false): void {
    this.send(FromAgent.HELLO, 0, Uint8Array.of(appRuns ? 1 : 0))
  }

  data(id: number, text: string | Buffer): void {
    this.send(FromAgent.DATA, id, Buffer.concat([Buffer.of(Stream.CONNECTION), Buffer.from(text)]))
  }

  /** Takes the next dial and says that it is open; resolves with its id. */
  async open(): Promise<number> {
    const { id } = await this.frame()
    this.send(FromAgent.OPENED, id)
    return id
  }
}

/** An agent whose container's ports are those of this machine's loopback. Keeps to its windows as the true one does. */
export class DiallingAgent {
  readonly connections = new Set<Socket>()
  readonly #socket: Socket

  constructor(socket: Socket) {
    this.#socket = socket
    socket.setNoDelay()
    const ends = new Map<number, { take(frame: Frame): void }>()
    const reader = new FrameReader()
    socket.on('data', (chunk) => {
      for (const frame of reader.push(chunk)) {
        if (frame.type === ToAgent.DIAL) ends.set(frame.id, this.#dial(frame))
        else ends.get(frame.id)?.take({ ...frame, payload: Buffer.from(frame.payload) })
      }
    })
    // Connections end with the link.
    socket.on('close', () => {
      for (const inner of this.connections) inner.destroy()
    })
    this.#send(FromAgent.HELLO, 0, Uint8Array.of(0))
  }

  #send(type: number, id: number, payload: Uint8Array = new Uint8Array()): void {
    this.#socket.write(encodeFrame(type, id, payload))
  }

  #dial({ id, payload }: Frame): { take(frame: Frame): void } {
    let credit = WINDOW_BYTES
    let ended = false
    const inner = connect({
      port: Buffer.from(payload).readUInt16LE(0),
      host: '127.0.0.1',
      allowHalfOpen: true,
      noDelay: true,
    })
    this.connections.add(inner)
    inner.on('close', () => this.connections.delete(inner))
    inner.on('connect', () => this.#send(FromAgent.OPENED, id))
    inner.on('error', (error: NodeJS.ErrnoException) => {
      ended = true
      this.#send(
        FromAgent.FAILED,
        id,
        Buffer.concat([u32(error.code === 'ECONNREFUSED' ? ECONNREFUSED : 104), Buffer.of(8)]),
      )
    })
    const pump = (): void => {
      while (credit > 0) {
        const bytes = inner.read() as Buffer | null
        if (bytes === null) return
        const now = bytes.subarray(0, Math.min(credit, MAX_PAYLOAD_BYTES - 1))
        if (now.length < bytes.length) inner.unshift(bytes.subarray(now.length))
        credit -= now.length
        this.#send(FromAgent.DATA, id, Buffer.concat([Buffer.of(Stream.CONNECTION), now]))
      }
    }
    inner.on('readable', pump)
    inner.on('end', () => {
      if (!ended) this.#send(FromAgent.EOF, id, Buffer.of(Stream.CONNECTION))
    })
    return {
      take: (frame) => {
        const bytes = Buffer.from(frame.payload)
        if (frame.type === ToAgent.DATA) inner.write(bytes, () => this.#send(FromAgent.CREDIT, id, u32(bytes.length)))
        else if (frame.type === ToAgent.EOF) inner.end()
        else if (frame.type === ToAgent.CLOSE) {
          ended = true
          // Node cannot reset what it is just ending.
          if (inner.writableEnded) inner.destroy()
          else inner.resetAndDestroy()
        } else if (frame.type === ToAgent.CREDIT) {
          credit += bytes.readUInt32LE(1)
          pump()
        }
      },
    }
  }
}
