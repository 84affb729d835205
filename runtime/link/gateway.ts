import { connect, type Socket } from 'node:net'
import { Latch } from '../base/latch.ts'
import { encodeFrame, FrameReader } from '../protocol/frames.ts'
import { AGENT_PORT, encodeOpening, FromGateway, Kind, ToGateway, Verdict } from '../protocol/gateway.ts'
import { type FlowAddresses, readProxyHeader } from './proxy-header.ts'

/** Connections kept parked at the gateway, so that a flow is handed over without a dial. */
const PARKED = 8
const RETRY_MS = 50

/** A DNS query that reached the gateway. */
export interface Datagram {
  readonly source: string
  readonly bytes: Buffer
  answer(bytes: Uint8Array): void
}

/** What the gateway's other end needs to be told. */
export interface GatewayEvents {
  /** An agent opened its link; the socket is now the listener's. `rest` are its first bytes. */
  onAgent(socket: Socket, rest: Buffer): void
  /** Another flow; the socket is now the listener's. It must write a Verdict. */
  onFlow(socket: Socket, flow: FlowAddresses, rest: Buffer): void
  onDatagram(datagram: Datagram): void
  /** The control connection was lost, and it was not close(). */
  onLost(message: string): void
}

/**
 * The runtime's end of the gateway's wire (protocol/gateway.ts): one control connection and a few parked ones, all dialled
 * from here. It ends with close(), or by itself with onLost; a replaced gateway gets a new link.
 */
export class GatewayLink {
  readonly #address: { host: string; port: number }
  readonly #secret: Uint8Array
  readonly #events: GatewayEvents
  readonly #waiting = new Map<number, Latch>()
  readonly #parked = new Set<Socket>()
  #control: Socket | undefined
  #lastId = 0
  #closed = false

  constructor(address: { host: string; port: number }, secret: Uint8Array, events: GatewayEvents) {
    this.#address = address
    this.#secret = secret
    this.#events = events
  }

  /** Connects. @throws where the gateway does not answer. */
  async open(): Promise<void> {
    const control = await this.#dial(Kind.CONTROL)
    if (this.#closed) {
      control.destroy()
      throw new Error('The gateway was lost.')
    }
    this.#control = control
    const reader = new FrameReader()
    control.on('data', (chunk) => {
      try {
        for (const frame of reader.push(chunk)) this.#receive(frame.type, frame.id, Buffer.from(frame.payload))
      } catch {
        control.destroy()
      }
    })
    control.on('close', () => {
      if (!this.#closed) this.#events.onLost('The connection to the gateway was lost.')
      this.close()
    })
    for (let i = 0; i < PARKED; i++) this.#park()
    await this.#ask(ToGateway.COVER, Uint8Array.of(53, 0))
  }

  /** Lets a sandbox use the internet, or no longer. */
  internet(address: string, allowed: boolean): Promise<void> {
    return this.#ask(ToGateway.INTERNET, Uint8Array.of(...address.split('.').map(Number), allowed ? 1 : 0))
  }

  /** Keeps one more network, as `a.b.c.d/n`, out of every sandbox's reach. */
  refuse(network: string): Promise<void> {
    const [address = '', bits = '32'] = network.split('/')
    return this.#ask(ToGateway.REFUSE, Uint8Array.of(...address.split('.').map(Number), Number(bits)))
  }

  /** Ends the link. What waits is rejected. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#control?.destroy()
    for (const socket of this.#parked) socket.destroy()
    for (const latch of this.#waiting.values()) latch.reject(new Error('The gateway was lost.'))
  }

  #receive(type: number, id: number, payload: Buffer): void {
    if (type === FromGateway.DONE) {
      const latch = this.#waiting.get(id)
      this.#waiting.delete(id)
      const errno = payload.readUInt32LE(0)
      if (errno === 0) latch?.resolve()
      else latch?.reject(new Error(`The gateway refused (errno ${errno}).`))
    } else if (type === FromGateway.DATAGRAM && payload.length > 10) {
      this.#events.onDatagram({
        source: payload.subarray(0, 4).join('.'),
        bytes: payload.subarray(10),
        answer: (bytes) => this.#control?.write(encodeFrame(ToGateway.ANSWER, id, bytes)),
      })
    }
  }

  #ask(type: number, payload: Uint8Array): Promise<void> {
    if (this.#closed || this.#control === undefined) return Promise.reject(new Error('The gateway was lost.'))
    const id = ++this.#lastId
    const latch = new Latch()
    this.#waiting.set(id, latch)
    this.#control.write(encodeFrame(type, id, payload))
    return latch.promise
  }

  #dial(kind: number): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const socket = connect({ ...this.#address, noDelay: true })
      socket.once('error', reject)
      socket.once('connect', () => {
        socket.off('error', reject)
        socket.on('error', () => socket.destroy())
        socket.write(encodeOpening(this.#secret, kind))
        resolve(socket)
      })
    })
  }

  /** Keeps one connection parked: when a flow takes it, another is dialled. */
  #park(): void {
    if (this.#closed) return
    this.#dial(Kind.PARKED).then(
      (socket) => {
        if (this.#closed) socket.destroy()
        else this.#await(socket)
      },
      () => setTimeout(() => this.#park(), RETRY_MS).unref(),
    )
  }

  #await(socket: Socket): void {
    this.#parked.add(socket)
    let bytes: Buffer = Buffer.alloc(0)
    const gone = (): void => {
      this.#parked.delete(socket)
      setTimeout(() => this.#park(), RETRY_MS).unref()
    }
    const take = (chunk: Buffer): void => {
      bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk])
      let flow: FlowAddresses | undefined
      try {
        flow = readProxyHeader(bytes)
      } catch {
        socket.destroy()
        return
      }
      if (flow === undefined) return
      socket.off('data', take)
      socket.off('close', gone)
      socket.pause()
      this.#parked.delete(socket)
      this.#park()
      this.#handOver(socket, flow, bytes.subarray(flow.headerBytes))
    }
    socket.on('data', take)
    socket.on('close', gone)
  }

  #handOver(socket: Socket, flow: FlowAddresses, rest: Buffer): void {
    if (flow.destinationPort !== AGENT_PORT) {
      this.#events.onFlow(socket, flow, rest)
      return
    }
    socket.write(Uint8Array.of(Verdict.TAKE))
    this.#events.onAgent(socket, rest)
  }
}
