/**
 * A stand-in for the relay and everything behind it, for tests of the Worker's side: containers are functions of the test.
 * It keeps to protocol/worker.ts and decides as little as it can.
 */
import { createServer, request as httpRequest, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, connect as dial, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import { Latch } from '../../../runtime/base/latch.ts'
import * as wire from '../../../runtime/protocol/worker.ts'

/** What a test's container is: a port of this machine for each port of the container. */
export interface FakeContainer {
  readonly ports: Readonly<Record<number, number>>
}

export interface FakeObject {
  readonly key: string
  running: boolean
  life: number
  container: FakeContainer | undefined
  readonly outcomes: Map<string, wire.Outcome>
  readonly waiting: { readonly key: string; readonly answer: (outcome: wire.Outcome | undefined) => void }[]
  readonly instances: string[]
}

export interface StandInOptions {
  /** What a start does: runs with these ports, or refuses. */
  readonly onStart?: (
    call: Extract<wire.Call, { method: 'start' }>,
    object: FakeObject,
  ) => Promise<FakeContainer | wire.Refusal> | FakeContainer | wire.Refusal
  readonly onSignal?: (signal: number, object: FakeObject, relay: StandIn) => void
}

interface Tunnel {
  readonly opened: Latch<boolean>
  readonly over: Latch
}

export class StandIn {
  readonly token = 'token-of-the-test'
  readonly objects = new Map<string, FakeObject>()
  /** What came in, as lines: `call start`, `note hook onStart begin`, … */
  readonly heard: string[] = []
  readonly requests: { method: string; rawHeaders: string[] }[] = []
  readonly sockets = new Map<string, WebSocket>()
  readonly #byInstance = new Map<string, FakeObject>()
  readonly #taken = new Map<string, number>()
  readonly #options: StandInOptions
  readonly #server: Server
  readonly #upgrades = new WebSocketServer({ noServer: true })
  readonly #open = new Set<Duplex>()
  readonly #tunnels = new Map<string, Tunnel>()
  #instances = 0

  constructor(options: StandInOptions = {}) {
    this.#options = options
    this.#server = createServer(
      (request, response) => void this.#request(request, response).catch(() => response.destroy()),
    )
    this.#server.on(
      'upgrade',
      (request, socket, head) => void this.#upgrade(request, socket, head).catch(() => socket.destroy()),
    )
    this.#server.on('connect', (request, socket, head) => {
      if (head.length > 0) socket.unshift(head)
      void this.#connect(request, socket).catch(() => socket.destroy())
    })
    this.#server.on('connection', (socket) => {
      this.#open.add(socket)
      socket.on('close', () => this.#open.delete(socket))
    })
  }

  async listen(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    return this
  }

  get base(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#open) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  /** The present life of an object's container ends. */
  end(object: FakeObject, outcome: Omit<wire.Outcome, 'life'>): void {
    object.running = false
    object.container = undefined
    const instance = object.instances.at(-1) ?? ''
    const key = `${instance}/${object.life}`
    object.outcomes.set(key, { life: object.life, ...outcome })
    for (const waiter of object.waiting.splice(0)) {
      const known = object.outcomes.get(waiter.key)
      if (known) waiter.answer(known)
      else object.waiting.push(waiter)
    }
  }

  /** Lets the platform evict an object: its socket and its long polls end. */
  evict(object: FakeObject): void {
    const instance = object.instances.at(-1) ?? ''
    this.#byInstance.delete(instance)
    this.sockets.get(instance)?.close()
    for (const waiter of object.waiting.splice(0)) waiter.answer(undefined)
  }

  /** Resolves when a line was heard, or was already. */
  async hears(line: string): Promise<void> {
    while (!this.heard.includes(line)) await new Promise((resolve) => setImmediate(resolve))
  }

  only(): FakeObject {
    const [object] = this.objects.values()
    if (!object) throw new Error('No object has attached.')
    return object
  }

  async #request(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.headers[wire.TOKEN] !== this.token) {
      response.writeHead(403).end()
      return
    }
    const instance = String(request.headers[wire.INSTANCE])
    const object = this.#byInstance.get(instance)
    const path = request.url ?? ''
    if (!object)
      response.writeHead(410, { [wire.ERROR]: encoded({ message: 'Network connection lost.', retryable: true }) }).end()
    else if (path === '/call') await this.#call(instance, object, request, response)
    else if (path === '/tunnel') {
      const tunnel = this.#tunnel(String(request.headers[wire.TUNNEL]))
      response.writeHead((await tunnel.opened.promise) ? 200 : 502).flushHeaders()
      await tunnel.over.promise
      response.end()
    } else if (path === '/end') await this.#end(instance, object, request, response)
    else await this.#port(instance, object, request, response)
  }

  async #call(instance: string, object: FakeObject, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const call = JSON.parse(Buffer.concat(chunks).toString()) as wire.Call
    const seq = Number(request.headers[wire.SEQ])
    await this.#turn(instance, seq - 1)
    this.#taken.set(instance, seq)
    this.heard.push(`call ${call.method}`)
    const answer = (status: number, body: unknown) => {
      response
        .writeHead(status, { 'content-type': 'application/json', [wire.RUNNING]: object.running ? '1' : '0' })
        .end(JSON.stringify(body))
    }
    if (call.method === 'start') {
      object.running = true
      object.life = call.life
      const result = (await this.#options.onStart?.(call, object)) ?? { ports: {} }
      if ('message' in result) {
        this.end(object, { failure: result })
        answer(400, result)
        return
      }
      object.container = result
      answer(200, { value: null })
    } else if (call.method === 'destroy') {
      this.heard.push(`destroyed with ${call.value}`)
      if (object.running) this.end(object, { exitCode: 137 })
      answer(200, { value: null })
    } else if (call.method === 'signal') {
      this.heard.push(`signal ${call.signal}`)
      this.#options.onSignal?.(call.signal, object, this)
      answer(200, { value: null })
    } else if (call.method === 'inspect') {
      answer(200, { value: object.running ? { labels: { a: 'b' }, image: 'image:1' } : null })
    } else {
      this.heard.push(`inactivity ${call.durationMs}`)
      answer(200, { value: null })
    }
  }

  async #end(instance: string, object: FakeObject, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const key = `${instance}/${request.headers[wire.LIFE]}`
    const outcome =
      object.outcomes.get(key) ??
      (await new Promise<wire.Outcome | undefined>((answer) => {
        object.waiting.push({ key, answer })
        response.on('close', () => answer(undefined))
      }))
    if (outcome)
      response
        .writeHead(200, { 'content-type': 'application/json', [wire.RUNNING]: object.running ? '1' : '0' })
        .end(JSON.stringify(outcome))
    else response.destroy()
  }

  async #port(instance: string, object: FakeObject, request: IncomingMessage, response: ServerResponse): Promise<void> {
    await this.#turn(instance, Number(request.headers[wire.SEQ]))
    this.requests.push({ method: request.method ?? '', rawHeaders: request.rawHeaders })
    const target = object.container?.ports[portOf(request)]
    if (target === undefined) {
      response
        .writeHead(502, {
          [wire.ERROR]: encoded(notListening(portOf(request))),
          [wire.RUNNING]: object.running ? '1' : '0',
        })
        .end()
      return
    }
    const outgoing = httpRequest(
      {
        port: target,
        method: request.method,
        path: pathOf(request),
        headers: kept(request),
        setHost: false,
      },
      (answer) => {
        response.sendDate = false
        response.writeHead(answer.statusCode ?? 0, answer.statusMessage, [
          ...answer.rawHeaders,
          wire.RUNNING,
          object.running ? '1' : '0',
        ])
        answer.pipe(response)
      },
    )
    outgoing.on('error', () =>
      response.headersSent
        ? response.destroy()
        : response
            .writeHead(502, { [wire.ERROR]: encoded({ message: 'Network connection lost.', retryable: true }) })
            .end(),
    )
    response.on('close', () => outgoing.destroy())
    request.pipe(outgoing)
  }

  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    if (request.url === '/attach') {
      this.#attach(request, socket, head)
      return
    }
    const object = this.#byInstance.get(String(request.headers[wire.INSTANCE]))
    const target = object?.container?.ports[portOf(request)]
    if (target === undefined) {
      socket.end(
        `HTTP/1.1 502 Bad Gateway\r\n${wire.ERROR}: ${encoded(notListening(portOf(request)))}\r\ncontent-length: 0\r\n\r\n`,
      )
      return
    }
    this.requests.push({ method: request.method ?? '', rawHeaders: request.rawHeaders })
    const outgoing = httpRequest({
      port: target,
      method: 'GET',
      path: pathOf(request),
      headers: kept(request),
      setHost: false,
    })
    outgoing.on('upgrade', (answer, far, farHead) => {
      const lines = [`HTTP/1.1 101 Switching Protocols`]
      for (let i = 0; i < answer.rawHeaders.length; i += 2)
        lines.push(`${answer.rawHeaders[i]}: ${answer.rawHeaders[i + 1]}`)
      socket.write(`${lines.join('\r\n')}\r\n\r\n`)
      socket.write(farHead)
      far.write(head)
      far.pipe(socket).pipe(far)
    })
    outgoing.end()
  }

  #attach(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const className = String(request.headers[wire.CLASS])
    const id = String(request.headers[wire.ID])
    const name = request.headers[wire.NAME]
    const key = `${className}/${id}`
    const object: FakeObject = this.objects.get(key) ?? {
      key,
      running: false,
      life: 0,
      container: undefined,
      outcomes: new Map(),
      waiting: [],
      instances: [],
    }
    this.objects.set(key, object)
    const instance = `i${++this.#instances}`
    object.instances.push(instance)
    this.#byInstance.set(instance, object)
    this.heard.push(`attach ${className}${typeof name === 'string' ? ` ${decodeURIComponent(name)}` : ''}`)
    const attached: wire.Attached = {
      instance,
      running: object.running,
      life: object.running ? object.life : 0,
      images: ['small'],
    }
    const add = (headers: string[]) => void headers.push(`${wire.ATTACHED}: ${encoded(attached)}`)
    this.#upgrades.once('headers', add)
    this.#upgrades.handleUpgrade(request, socket, head, (websocket) => {
      this.sockets.set(instance, websocket)
      websocket.on('message', (data) => {
        const note = JSON.parse(String(data)) as wire.Note | wire.Ahead
        // The request itself follows, and is enough here.
        if ('ahead' in note) return
        this.heard.push(
          note.note === 'hook'
            ? `hook ${note.hook} ${note.edge}${note.detail ? ` (${note.detail})` : ''}${note.error ? ` error: ${note.error}` : ''}`
            : note.note,
        )
      })
      websocket.on('close', () => {
        this.heard.push('detach')
        this.sockets.delete(instance)
      })
    })
  }

  async #connect(request: IncomingMessage, socket: Duplex): Promise<void> {
    const [instance = '', port = ''] = (request.url ?? '').split(':')
    const tunnel = this.#tunnel(String(request.headers[wire.TUNNEL]))
    socket.on('close', () => tunnel.over.resolve())
    await this.#turn(instance, Number(request.headers[wire.SEQ]))
    const target = this.#byInstance.get(instance)?.container?.ports[Number(port)]
    if (target === undefined) {
      ;(socket as Socket).resetAndDestroy()
      tunnel.opened.resolve(false)
      return
    }
    const far = dial({ port: target, allowHalfOpen: true })
    far.on('connect', () => {
      tunnel.opened.resolve(true)
      socket.pipe(far).pipe(socket)
    })
    far.on('error', () => socket.destroy())
    socket.on('error', () => far.destroy())
    socket.on('close', () => far.destroy())
  }

  #tunnel(id: string): Tunnel {
    const tunnel = this.#tunnels.get(id) ?? { opened: new Latch<boolean>(), over: new Latch() }
    this.#tunnels.set(id, tunnel)
    return tunnel
  }

  async #turn(instance: string, seq: number): Promise<void> {
    while ((this.#taken.get(instance) ?? 0) < seq) await new Promise((resolve) => setImmediate(resolve))
  }
}

function portOf(request: IncomingMessage): number {
  return Number(/^\/port\/(\d+)/.exec(request.url ?? '')?.[1])
}

function pathOf(request: IncomingMessage): string {
  const { pathname, search } = new URL(String(request.headers[wire.URL_HEADER]))
  return pathname + search
}

/** What goes on into the container: the Host of the URL, and nothing of ours or workerd's. */
function kept(request: IncomingMessage): string[] {
  const strip = new Set(['host', 'connection', ...String(request.headers[wire.STRIP] ?? '').split(',')])
  const headers = ['host', new URL(String(request.headers[wire.URL_HEADER])).host]
  for (let i = 0; i < request.rawHeaders.length; i += 2) {
    const name = request.rawHeaders[i] ?? ''
    if (name.toLowerCase().startsWith(wire.OWN))
      headers.push(name.slice(wire.OWN.length), request.rawHeaders[i + 1] ?? '')
    if (name.toLowerCase().startsWith('x-moorage-')) continue
    if (strip.has(name.toLowerCase())) continue
    headers.push(name, request.rawHeaders[i + 1] ?? '')
  }
  if (request.headers.upgrade) headers.push('connection', 'Upgrade')
  return headers
}

function notListening(port: number): wire.Refusal {
  return { message: `The Container is not listening to port ${port}`, retryable: true }
}

function encoded(value: unknown): string {
  return encodeURIComponent(JSON.stringify(value))
}
