import type { ServerResponse } from 'node:http'
import type { WebSocket } from 'ws'
import { Latch } from '../base/latch.ts'
import type { AgentLink } from './agent.ts'
import { PortClient } from './port-client.ts'

/** A call that never arrives (its request was aborted on the way) holds up the ones behind it for this long. */
const ORDER_TIMEOUT_MS = 5_000

const TELL_MS = 50

/** One object, as requests into its container need it. */
export class ObjectRoute {
  readonly key: string
  /** Starts under way: requests wait for them. */
  readonly starting = new Set<Promise<unknown>>()
  readonly #onOpen: (open: number) => void
  #link: AgentLink | undefined
  #client: PortClient | undefined
  #open = 0
  #toldOpen = 0
  #telling: NodeJS.Timeout | undefined
  #toldAt = 0

  constructor(key: string, onOpen: (open: number) => void) {
    this.key = key
    this.#onOpen = onOpen
  }

  /** The link into the container that runs now. */
  get link(): AgentLink | undefined {
    return this.#link
  }

  /** Ports of the container that runs now that have answered HTTP. */
  get httpPorts(): readonly number[] {
    return [...(this.#client?.answered ?? [])]
  }

  get running(): boolean {
    return this.#link !== undefined || this.starting.size > 0
  }

  /** Leads requests to another container, or to none; what is under way to the old one breaks with its link. */
  bind(link: AgentLink | undefined): void {
    if (this.#link === link) return
    this.#client?.close()
    this.#link = link
    this.#client = link === undefined ? undefined : new PortClient(link)
  }

  /** Waits for starts under way, then gives what leads into the container, or undefined where none runs. */
  async client(): Promise<PortClient | undefined> {
    while (this.starting.size > 0) await Promise.allSettled([...this.starting])
    return this.#client
  }

  /** Whether the session should hear of a refused request now: at most once a second. `now` in milliseconds. */
  mayTellRefusal(now: number): boolean {
    if (now - this.#toldAt < 1_000) return false
    this.#toldAt = now
    return true
  }

  /** Counts an open connection or request; call the result once when it has ended. */
  opened(): () => void {
    this.#open += 1
    this.#tellSoon()
    let over = false
    return () => {
      if (over) return
      over = true
      this.#open -= 1
      this.#tellSoon()
    }
  }

  /** Short requests come by the thousand; the session only decides about seconds, and hears of what has lasted a moment. */
  #tellSoon(): void {
    this.#telling ??= setTimeout(() => {
      this.#telling = undefined
      const open = this.#open > 0 ? 1 : 0
      if (open === this.#toldOpen) return
      this.#toldOpen = open
      this.#onOpen(open)
    }, TELL_MS)
  }
}

/** A raw connection of an instance: whether it was made, and that it is over. */
export interface Tunnel {
  readonly opened: Latch<boolean>
  readonly over: Latch
}

/** One instance of an object: its socket, its long polls, and the order of what it asks. */
export class InstanceRoute {
  readonly id: string
  readonly object: ObjectRoute
  readonly socket: WebSocket
  readonly polls = new Set<ServerResponse>()
  #taken = 0
  readonly #waiting = new Map<number, Latch>()
  readonly #calls = new Map<number, Promise<unknown>>()
  #patience: NodeJS.Timeout | undefined
  readonly #tunnels = new Map<string, Tunnel>()

  constructor(id: string, object: ObjectRoute, socket: WebSocket) {
    this.id = id
    this.object = object
    this.socket = socket
  }

  /**
   * Takes up call `seq` in its turn, once, although it may come twice: by its request, and ahead of that. What `take` hands on
   * before its first await is in order. The result is kept until answered(seq).
   */
  once<T>(seq: number, take: () => Promise<T>): Promise<T> {
    const known = this.#calls.get(seq)
    if (known !== undefined) return known as Promise<T>
    const taking = this.turn(seq).then(() => {
      const result = take()
      this.taken(seq)
      return result
    })
    this.#calls.set(seq, taking)
    taking.catch(() => undefined)
    return taking
  }

  /** Whether call `seq` has come, by whichever way. */
  knows(seq: number): boolean {
    return seq <= this.#taken || this.#calls.has(seq)
  }

  /** The request of call `seq` was answered: nobody asks for the result any more. */
  answered(seq: number): void {
    this.#calls.delete(seq)
  }

  /** Waits until every call before number `seq` was taken up. Follow it, without an await between, by taken(seq). */
  async turn(seq: number): Promise<void> {
    if (!(seq - 1 > this.#taken)) return
    const latch = this.#waiting.get(seq) ?? new Latch()
    this.#waiting.set(seq, latch)
    this.#patience ??= setTimeout(() => this.#skip(), ORDER_TIMEOUT_MS)
    await latch.promise
  }

  /** Call `seq` was handed on. */
  taken(seq: number): void {
    if (!(seq > this.#taken)) return
    this.#taken = seq
    clearTimeout(this.#patience)
    this.#patience = undefined
    for (const [waiter, latch] of this.#waiting) {
      if (waiter - 1 > this.#taken) continue
      this.#waiting.delete(waiter)
      latch.resolve()
    }
    if (this.#waiting.size > 0) this.#patience = setTimeout(() => this.#skip(), ORDER_TIMEOUT_MS)
  }

  /** What all wait for does not come: the first of them goes on, and the others after it. */
  #skip(): void {
    this.taken(Math.min(...this.#waiting.keys()) - 1)
  }

  /** Waits until call `seq` itself was taken up. */
  after(seq: number): Promise<void> {
    return this.turn(seq + 1)
  }

  /** A raw connection by the isolate's id for it; known from whichever of CONNECT and GET /tunnel comes first, until forgetTunnel(). */
  tunnel(id: string): Tunnel {
    const tunnel = this.#tunnels.get(id) ?? { opened: new Latch<boolean>(), over: new Latch() }
    this.#tunnels.set(id, tunnel)
    return tunnel
  }

  forgetTunnel(id: string): void {
    this.#tunnels.delete(id)
  }

  /** Ends the socket and the long polls; nothing waits for its turn any more. */
  close(): void {
    this.taken(Number.MAX_SAFE_INTEGER)
    for (const tunnel of this.#tunnels.values()) {
      tunnel.opened.resolve(false)
      tunnel.over.resolve()
    }
    // An answer, not a broken connection: the isolate would tell the developer of an error.
    for (const poll of this.polls) if (!poll.headersSent) poll.writeHead(410, { 'content-length': 0 }).end()
    this.polls.clear()
    this.socket.close(1000)
  }
}
