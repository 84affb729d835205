/**
 * The runtime's ends of the native program's wires, as bare as can be: what tests of gateway, sandbox and agent send and
 * what they wait for. The real ends are in link/.
 */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { type Command, encodeCommand, FromAgent, ToAgent } from '../../runtime/protocol/agent.ts'
import { encodeFrame, type Frame, FrameReader, MAX_PAYLOAD_BYTES } from '../../runtime/protocol/frames.ts'
import { encodeOpening, Kind, Verdict } from '../../runtime/protocol/gateway.ts'

/** How long anything may take before a test says what it was waiting for, in ms. */
const PATIENCE_MS = 20_000

/** A stream of frames in which a test can look for the ones it waits for. */
export class Frames {
  readonly socket: Socket
  #frames: Frame[] = []
  #wake: (() => void)[] = []
  #ended = false

  /** Owns the socket. `first` are bytes that were read from it already. */
  constructor(socket: Socket, first: Uint8Array = new Uint8Array(0)) {
    this.socket = socket
    const reader = new FrameReader()
    const take = (chunk: Uint8Array) => {
      for (const f of reader.push(chunk)) this.#frames.push({ ...f, payload: Uint8Array.from(f.payload) })
      for (const wake of this.#wake.splice(0)) wake()
    }
    socket.on('data', take)
    socket.on('error', () => {})
    socket.on('close', () => {
      this.#ended = true
      for (const wake of this.#wake.splice(0)) wake()
    })
    take(first)
  }

  send(type: number, id: number, payload?: Uint8Array | readonly number[]): void {
    this.socket.write(encodeFrame(type, id, Uint8Array.from(payload ?? [])))
  }

  command(type: number, id: number, command: Partial<Command> & Pick<Command, 'argv'>): void {
    const whole: Command = { env: {}, cwd: '', user: '', flags: 0, cols: 80, rows: 24, ...command }
    let rest = encodeCommand(whole)
    for (; rest.length > MAX_PAYLOAD_BYTES; rest = rest.subarray(MAX_PAYLOAD_BYTES))
      this.send(ToAgent.PART, id, rest.subarray(0, MAX_PAYLOAD_BYTES))
    this.send(type, id, rest)
  }

  /** Takes the first frame out that has this id and one of these types. @throws Error where none comes in time. */
  next(id: number, ...types: readonly number[]): Promise<Frame> {
    const fits = (f: Frame) => f.id === id && (types.length === 0 || types.includes(f.type))
    return this.nextWhere(fits, `${types.join('|')} of ${id}`)
  }

  /** Takes the first frame out that fits. @throws Error that names `what`, where none comes in time. */
  async nextWhere(fits: (frame: Frame) => boolean, what = 'that fits'): Promise<Frame> {
    const until = Date.now() + PATIENCE_MS
    for (;;) {
      const at = this.#frames.findIndex(fits)
      if (at >= 0) return this.#frames.splice(at, 1)[0]!
      const left = until - Date.now()
      if (this.#ended || left <= 0) {
        const seen = this.#frames.map((f) => `${f.type}/${f.id}`).join(' ')
        throw new Error(`No frame ${what} came${this.#ended ? ' before the end' : ''}. There are: ${seen}`)
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left)
        this.#wake.push(() => {
          clearTimeout(timer)
          resolve()
        })
      })
    }
  }

  /** Frames that nobody took yet. */
  get rest(): readonly Frame[] {
    return this.#frames
  }
}

/** A flow that the gateway handed over. */
export interface Flow {
  readonly from: string
  readonly to: string
  readonly socket: Socket
  /** What came behind the header so far; more comes on the socket, which is paused. */
  readonly first: Uint8Array
}

/** The relay's side of a gateway: its control connection, and parked connections that are renewed as flows use them up. */
export class Relay {
  readonly control: Frames
  readonly #dial: () => Socket
  readonly #secret: Uint8Array
  #flows: Flow[] = []
  #wake: (() => void)[] = []
  #sockets = new Set<Socket>()
  #handed = new Set<Socket>()
  #closed = false

  private constructor(dial: () => Socket, secret: Uint8Array, control: Socket) {
    this.#dial = dial
    this.#secret = secret
    this.control = new Frames(control)
  }

  /** Dials the gateway's runtime port and parks `parked` connections. */
  static async open(host: string, port: number, secret: Uint8Array, parked = 4): Promise<Relay> {
    const dial = () => connect({ host, port, noDelay: true })
    const control = dial()
    await once(control, 'connect')
    control.write(encodeOpening(secret, Kind.CONTROL))
    const relay = new Relay(dial, secret, control)
    relay.#sockets.add(control)
    for (let i = 0; i < parked; i++) relay.park()
    return relay
  }

  /** One more parked connection; after it was used, another takes its place. */
  park(): void {
    if (this.#closed) return
    const socket = this.#dial()
    this.#sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => this.#sockets.delete(socket))
    socket.write(encodeOpening(this.#secret, Kind.PARKED))
    let bytes = Buffer.alloc(0)
    const take = (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk])
      if (bytes.length < 28) return
      socket.off('data', take)
      socket.pause()
      this.#handed.add(socket)
      this.#flows.push({
        from: `${bytes.subarray(16, 20).join('.')}:${bytes.readUInt16BE(24)}`,
        to: `${bytes.subarray(20, 24).join('.')}:${bytes.readUInt16BE(26)}`,
        socket,
        first: bytes.subarray(28),
      })
      for (const wake of this.#wake.splice(0)) wake()
      this.park()
    }
    socket.on('data', take)
  }

  /** The next flow to `to` (a port, or address:port). */
  async flow(to: string | number): Promise<Flow> {
    const fits = (f: Flow) => (typeof to === 'number' ? f.to.endsWith(`:${to}`) : f.to === to)
    const until = Date.now() + PATIENCE_MS
    for (;;) {
      const at = this.#flows.findIndex(fits)
      if (at >= 0) return this.#flows.splice(at, 1)[0]!
      if (Date.now() > until)
        throw new Error(`No flow to ${to} came. There are: ${this.#flows.map((f) => f.to).join(' ')}`)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 1000)
        this.#wake.push(() => {
          clearTimeout(timer)
          resolve()
        })
      })
    }
  }

  /** Ends the control connection and all that is parked; flows that were handed over stay. */
  detach(): void {
    this.#closed = true
    for (const socket of this.#sockets) if (!this.#handed.has(socket)) socket.destroy()
  }

  close(): void {
    this.#closed = true
    for (const socket of this.#sockets) socket.destroy()
  }
}

/** Takes a flow: its bytes are the test's from now on, `first` included. */
export function take(flow: Flow): Socket {
  flow.socket.write(Uint8Array.of(Verdict.TAKE))
  flow.socket.unshift(flow.first)
  flow.socket.resume()
  return flow.socket
}

/** Reads exactly `length` bytes from the start of a socket and gives back what is over. */
export async function readExactly(socket: Socket, length: number): Promise<Buffer> {
  const until = Date.now() + PATIENCE_MS
  socket.pause()
  for (;;) {
    const bytes = socket.read(length) as Buffer | null
    if (bytes) return bytes
    if (Date.now() > until || socket.readableEnded || socket.destroyed) throw new Error(`${length} bytes did not come.`)
    await Promise.race([once(socket, 'readable'), once(socket, 'end'), once(socket, 'close')])
  }
}

/** Little-endian bytes of unsigned numbers: `u16`, `u32`. */
export const u16 = (n: number): Uint8Array => Uint8Array.of(n & 255, n >>> 8)
export const u32 = (n: number): Uint8Array => Uint8Array.of(n & 255, (n >>> 8) & 255, (n >>> 16) & 255, n >>> 24)
/** The number in the first four bytes. */
export const number = (bytes: Uint8Array): number => Buffer.from(bytes).readUInt32LE(0)

/** errno and step of an id's FAILED frame. */
export async function failure(link: Frames, id: number): Promise<readonly number[]> {
  const { payload } = await link.next(id, FromAgent.FAILED)
  return [number(payload), payload[4]!]
}

/** Exit code and signal of a process's EXIT frame. */
export async function exit(link: Frames, id: number): Promise<readonly number[]> {
  const { payload } = await link.next(id, FromAgent.EXIT)
  return [number(payload), payload[4]!]
}

/** Everything that a stream of an id gives until its end; credit is given back for all of it. */
export async function all(link: Frames, id: number, stream: number): Promise<string> {
  const fits = (f: Frame) =>
    f.id === id && (f.type === FromAgent.DATA || f.type === FromAgent.EOF) && f.payload[0] === stream
  let text = ''
  for (;;) {
    const frame = await link.nextWhere(fits, `for stream ${stream} of ${id}`)
    if (frame.type === FromAgent.EOF) return text
    text += Buffer.from(frame.payload.subarray(1)).toString('latin1')
    link.send(ToAgent.CREDIT, id, [stream, ...u32(frame.payload.length - 1)])
  }
}
