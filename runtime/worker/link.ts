/**
 * The isolate's end of the wire to the relay (protocol/worker.ts): who this instance is, and what it asks.
 * Calls are fetches, never messages of the WebSocket: a continuation of a fetch belongs to the block it was made in, while
 * a message waits until blockConcurrencyWhile has ended. But a fetch made just before such a block leaves only after it, and
 * would keep back all that the block asks: messages leave at any time, so it is sent ahead as one.
 */

import type {
  Ahead,
  Attached,
  Call,
  EntryOptions,
  ExecRequest,
  Note,
  Outcome,
  Push,
  Refusal,
  Tell,
} from '../protocol/worker.ts'
import * as wire from '../protocol/worker.ts'
import { refusalError } from './check.ts'
import { fetch } from './relay.ts'

/** Tells this isolate from the one before a reload. Made when first needed: there is no randomness before the first event. */
let isolate: string | undefined

/** Who an object is. */
export interface Identity {
  readonly className: string
  readonly id: string
  readonly name: string | undefined
}

/** An answer to a call, with what came along. */
export interface Answer {
  readonly value: unknown
  /** Set where the runtime refused. */
  readonly refusal: Refusal | undefined
  readonly running: boolean | undefined
}

/** What the relay answers to an instance that it has let go of. */
const GONE = 410

/** One instance's connection to the runtime. Owned by the instance's shell; ends with the isolate's object. */
export class Link {
  readonly options: EntryOptions
  readonly #who: Identity
  readonly #adopt: (attached: Attached) => void
  readonly #pushed: (push: Push) => void
  #attaching: Promise<void> | undefined
  #socket: WebSocket | undefined
  #attached: Attached | undefined
  #seq = 0
  /** Execs that are not answered, and the turn they were made in: sent ahead once something of a later turn is to follow. */
  readonly #unanswered = new Map<number, { readonly turn: number; readonly ahead: Ahead }>()
  #turn = 0
  #inTurn = false

  /**
   * @param adopt is told what the runtime knows of the object, each time that it takes the instance in.
   * @param pushed is told what the runtime asks of the instance.
   */
  constructor(options: EntryOptions, who: Identity, adopt: (attached: Attached) => void, pushed: (push: Push) => void) {
    this.options = options
    this.#who = who
    this.#adopt = adopt
    this.#pushed = pushed
  }

  /** Whether the runtime counts this instance as alive. False before attach() and after the runtime evicted it. */
  get alive(): boolean {
    return this.#socket !== undefined
  }

  /** The number of the last call given out; 0 before the first. */
  get seq(): number {
    return this.#seq
  }

  /** What the relay calls this instance; empty before attach(). */
  get instance(): string {
    return this.#attached?.instance ?? ''
  }

  /**
   * Says who this instance is and takes what the runtime knows of its object.
   * @throws Error where the runtime is gone.
   */
  attach(): Promise<void> {
    this.#attaching ??= this.#attach().finally(() => {
      this.#attaching = undefined
    })
    return this.#attaching
  }

  async #attach(): Promise<void> {
    const { className, id, name } = this.#who
    isolate ??= crypto.randomUUID()
    const response = await this.#fetch('/attach', {
      headers: {
        upgrade: 'websocket',
        [wire.CLASS]: className,
        [wire.ID]: id,
        [wire.ISOLATE]: isolate,
        ...(name !== undefined && { [wire.NAME]: encodeURIComponent(name) }),
      },
    })
    const socket = response.webSocket
    const attached = response.headers.get(wire.ATTACHED)
    if (!socket || attached === null)
      throw new Error(`Moorage's runtime did not take the object in (status ${response.status}).`)
    socket.accept()
    const ended = () => {
      if (this.#socket === socket) this.#socket = undefined
      try {
        // Older compatibility dates leave the answer to the other side's close to us; unanswered, it stays half open.
        socket.close()
      } catch {
        // It is closed.
      }
    }
    socket.addEventListener('message', ({ data }) => this.#pushed(JSON.parse(String(data)) as Push))
    socket.addEventListener('close', ended)
    socket.addEventListener('error', ended)
    this.#socket = socket
    this.#attached = JSON.parse(decodeURIComponent(attached)) as Attached
    this.#seq = 0
    this.#adopt(this.#attached)
  }

  /**
   * Asks the runtime to do something. The number is taken at once, so that calls are done in the order of their making.
   * The answer rejects only where the runtime is gone.
   */
  call(call: Call): { seq: number; answer: Promise<Answer> } {
    this.#sendAhead()
    const seq = ++this.#seq
    return { seq, answer: this.#call(seq, call) }
  }

  async #call(seq: number, call: Call): Promise<Answer> {
    const response = await this.#ordered(seq, '/call', call)
    const body = (await response.json()) as { value?: unknown } & Refusal
    const refusal = response.status === 200 ? undefined : body
    return { value: body.value, refusal, running: runningOf(response) }
  }

  /**
   * Asks for a process, or tells one something: numbered like a call, and answered as the wire says.
   * @param path `/exec`, `/process/<n>/tell`
   */
  exec(path: string, body: ExecRequest | Tell): { seq: number; response: Promise<Response> } {
    this.#sendAhead()
    const seq = ++this.#seq
    return { seq, response: this.#ordered(seq, path, body) }
  }

  /**
   * A stream of a process: the answer's body, or the request's. Rejects where the runtime is gone.
   * @param seq of the exec, where that may still be on its way: the runtime waits for it.
   */
  stream(process: number, stream: 'stdin' | 'stdout' | 'stderr', init: RequestInit = {}, seq = 0): Promise<Response> {
    return this.#fetch(`/process/${process}/${stream}`, {
      ...init,
      headers: { [wire.INSTANCE]: this.#instance(), [wire.SEQ]: `${seq}` },
    })
  }

  async #ordered(seq: number, path: string, body: unknown): Promise<Response> {
    const text = JSON.stringify(body)
    const post = (number: number): Promise<Response> =>
      this.#fetch(path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', [wire.INSTANCE]: this.#instance(), [wire.SEQ]: `${number}` },
        body: text,
      })
    const ahead: Ahead = { ahead: seq, path, body: text }
    // Execs come by the hundred, and mostly nothing waits behind one: only what is small and seldom goes twice at once.
    if (path === '/exec') this.#unanswered.set(seq, { turn: this.#thisTurn(), ahead })
    else this.#send(ahead)
    const response = await post(seq).finally(() => this.#unanswered.delete(seq))
    if (response.status !== GONE) return response
    // The runtime evicted the instance while an event was on its way to it.
    await response.body?.cancel()
    await this.attach()
    return post(++this.#seq)
  }

  /** As call(), for those who wait: the value, or a throw of what the runtime refuses with. */
  async ask(call: Call): Promise<unknown> {
    const { value, refusal } = await this.call(call).answer
    if (refusal) throw refusalError(refusal)
    return value
  }

  /** Waits for the end of a life. Undefined where the runtime ends the wait because it wants the object out of memory. */
  async end(life: number): Promise<Outcome | undefined> {
    const response = await this.#fetch('/end', {
      headers: { [wire.INSTANCE]: this.#instance(), [wire.LIFE]: `${life}` },
    })
    if (response.status !== 200) {
      await response.body?.cancel()
      return undefined
    }
    return (await response.json()) as Outcome
  }

  /** Headers and address of a request into the container. */
  port(port: number, url: string): { target: string; headers: Record<string, string>; seq: number } {
    this.#sendAhead()
    const headers = {
      [wire.TOKEN]: this.options.token,
      [wire.INSTANCE]: this.#instance(),
      [wire.SEQ]: `${this.#seq}`,
      [wire.URL_HEADER]: url,
    }
    return { target: `${this.options.base}/port/${port}`, headers, seq: this.#seq }
  }

  /** Opens raw TCP to a port of the container: the relay's address, what to write first, when it is made or refused, and when it is over. */
  tunnel(port: number): { address: string; head: string; opened: Promise<void>; over: Promise<void> } {
    this.#sendAhead()
    const instance = this.#instance()
    const id = crypto.randomUUID()
    const head = [
      `CONNECT ${instance}:${port} HTTP/1.1`,
      `host: ${instance}:${port}`,
      `${wire.TOKEN}: ${this.options.token}`,
      `${wire.SEQ}: ${this.#seq}`,
      `${wire.TUNNEL}: ${id}`,
    ]
    const watched = this.#fetch('/tunnel', { headers: { [wire.INSTANCE]: instance, [wire.TUNNEL]: id } })
    return {
      address: new URL(this.options.base).host,
      head: `${head.join('\r\n')}\r\n\r\n`,
      opened: watched.then(() => {}),
      over: watched.then((response) => response.text()).then(() => {}),
    }
  }

  /** Tells something and expects nothing. Lost where nobody listens. */
  note(note: Note): void {
    this.#send(note)
  }

  /** What is about to be asked may wait for these: they may be held up by a gate that it is not behind. */
  #sendAhead(): void {
    for (const [seq, { turn, ahead }] of this.#unanswered) {
      if (turn === this.#thisTurn()) continue
      this.#unanswered.delete(seq)
      this.#send(ahead)
    }
  }

  /** No gate closes within one run of the Worker's code. */
  #thisTurn(): number {
    if (!this.#inTurn) {
      this.#inTurn = true
      queueMicrotask(() => {
        this.#inTurn = false
        this.#turn += 1
      })
    }
    return this.#turn
  }

  #send(message: Note | Ahead): void {
    try {
      this.#socket?.send(JSON.stringify(message))
    } catch {
      // The socket is closing: the runtime has let go of this instance and wants no notes.
    }
  }

  #instance(): string {
    if (!this.#attached) throw new Error("Moorage's runtime does not know this object yet.")
    return this.#attached.instance
  }

  #fetch(path: string, init: RequestInit & { headers: Record<string, string> }): Promise<Response> {
    return fetch(`${this.options.base}${path}`, {
      ...init,
      headers: { ...init.headers, [wire.TOKEN]: this.options.token },
      redirect: 'manual',
    })
  }
}

/** Whether an answer says that the container runs; undefined where it says nothing. */
export function runningOf(response: { readonly headers: { get(name: string): string | null } }): boolean | undefined {
  const header = response.headers.get(wire.RUNNING)
  return header === null ? undefined : header === '1'
}
