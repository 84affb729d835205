/** The relay's end of the isolates' wire (protocol/worker.ts). */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { WebSocketServer } from 'ws'
import type { SessionCalls } from '../protocol/relay.ts'
import * as wire from '../protocol/worker.ts'
import type { AgentLink } from './agent.ts'
import { DialError } from './agent.ts'
import { bodyText, encoded, MAX_BODY_BYTES, refuse, reply, running } from './answers.ts'
import { PortForward } from './forward.ts'
import { InstanceRoute, ObjectRoute } from './instances.ts'
import { join, type PortClient } from './port-client.ts'
import { parseAhead, parseCall, parseNote } from './worker-messages.ts'

/** The runtime let go of the instance: it attaches again, and asks again. */
const GONE = 410
const LOST: wire.Refusal = { message: 'Network connection lost.', retryable: true }

class NotRunning extends Error {
  constructor() {
    super('The container is not running, consider calling start()')
  }
}

/** What this end needs of the session. */
export interface WorkerLinkEvents {
  readonly ask: {
    [K in keyof SessionCalls]: (args: Parameters<SessionCalls[K]>[0]) => Promise<ReturnType<SessionCalls[K]>>
  }
  onNote(instance: string, note: wire.Note): void
  onDetached(instance: string): void
  /** Requests and connections into the object's container went from none to some (1) or back (0). */
  onOpen(object: string, open: number): void
  /** A request about processes (exec/requests.ts), ahead of itself. */
  onExecAhead(instance: InstanceRoute, ahead: wire.Ahead): void
  /** A request about processes (exec/requests.ts), which answers it. */
  onExec(instance: InstanceRoute, request: IncomingMessage, response: ServerResponse): Promise<void>
  /** Nobody listens on a port; told at most once a second for an object. */
  onRefused(object: string, port: number): void
}

/** Serves all isolates of a session. */
export class WorkerLink {
  readonly #events: WorkerLinkEvents
  readonly #objects = new Map<string, ObjectRoute>()
  readonly #instances = new Map<string, InstanceRoute>()
  readonly #sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_BODY_BYTES })

  constructor(events: WorkerLinkEvents) {
    this.#events = events
  }

  /** Leads an object's requests to a container's link, or nowhere. */
  bind(object: string, link: AgentLink | undefined): void {
    this.#object(object).bind(link)
  }

  /** The link that an object's requests go to now, after starts under way; undefined where none runs. */
  async linkOf(object: string): Promise<AgentLink | undefined> {
    const route = this.#object(object)
    await route.client()
    return route.link
  }

  /** Ports of an object's container that have answered HTTP. */
  httpPorts(object: string): readonly number[] {
    return this.#object(object).httpPorts
  }

  /** Lets workerd evict an instance. */
  evict(instance: string): void {
    this.#instances.get(instance)?.close()
  }

  /** Opens a port of an object's container to programs of this machine. The caller listens and closes. */
  forward(object: string, port: number): PortForward {
    const route = this.#object(object)
    return new PortForward({ port, client: () => route.client(), opened: () => route.opened() })
  }

  /** Asks something of an instance. @throws Error where it is gone */
  push(instance: string, push: wire.Push): void {
    const route = this.#instances.get(instance)
    if (route === undefined) throw new Error(LOST.message)
    route.socket.send(JSON.stringify(push))
  }

  request(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url ?? ''
    const instance = this.#instances.get(String(request.headers[wire.INSTANCE]))
    if (instance === undefined) refuse(response, undefined, LOST, GONE)
    else if (path === '/call') void this.#call(instance, request, response).catch(() => response.destroy())
    else if (path === '/end') void this.#end(instance, request, response).catch(() => response.destroy())
    else if (path === '/tunnel') void this.#tunnel(instance, request, response).catch(() => response.destroy())
    else if (path.startsWith('/port/')) void this.#port(instance, request, response).catch(() => response.destroy())
    else if (path === '/exec' || path.startsWith('/process/')) {
      void this.#events.onExec(instance, request, response).catch(() => response.destroy())
    } else response.writeHead(404).end()
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    if (request.url === '/attach') void this.#attach(request, socket, head).catch(() => socket.destroy())
    else void this.#portUpgrade(request, socket, head).catch(() => socket.destroy())
  }

  async connect(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const [id = '', port = ''] = (request.url ?? '').split(':')
    const instance = this.#instances.get(id)
    const tunnel = instance?.tunnel(String(request.headers[wire.TUNNEL]))
    const closed = instance?.object.opened()
    socket.once('close', () => {
      tunnel?.over.resolve()
      closed?.()
    })
    try {
      if (instance === undefined) throw new Error(LOST.message)
      const client = await this.#ready(instance, request)
      if (client === undefined) throw new NotRunning()
      const connection = await client.dial(Number(port))
      tunnel?.opened.resolve(true)
      if (head.length > 0) connection.write(head)
      join(socket, connection)
    } catch (error) {
      this.#refusalOf(error, instance, Number(port))
      ;(socket as Socket).resetAndDestroy()
      tunnel?.opened.resolve(false)
    }
  }

  /** Ends every instance's socket. */
  close(): void {
    for (const instance of this.#instances.values()) instance.close()
    for (const object of this.#objects.values()) object.bind(undefined)
  }

  async #attach(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const name = request.headers[wire.NAME]
    const isolate = request.headers[wire.ISOLATE]
    const attached = await this.#events.ask.attach({
      className: String(request.headers[wire.CLASS]),
      id: String(request.headers[wire.ID]),
      ...(typeof name === 'string' ? { name: decodeURIComponent(name) } : {}),
      ...(typeof isolate === 'string' ? { isolate } : {}),
    })
    const { object, ...forIsolate } = attached
    const add = (headers: string[]): void => {
      headers.push(`${wire.ATTACHED}: ${encoded(forIsolate)}`)
    }
    let taken = false
    this.#sockets.once('headers', add)
    this.#sockets.handleUpgrade(request, socket, head, (websocket) => {
      taken = true
      const instance = new InstanceRoute(attached.instance, this.#object(object), websocket)
      this.#instances.set(instance.id, instance)
      websocket.on('message', (data) => {
        const text = String(data)
        const note = parseNote(text)
        if (note !== undefined) this.#events.onNote(instance.id, note)
        else this.#ahead(instance, parseAhead(text))
      })
      websocket.on('error', () => websocket.terminate())
      websocket.on('close', () => {
        this.#instances.delete(instance.id)
        instance.close()
        this.#events.onDetached(instance.id)
      })
    })
    this.#sockets.off('headers', add)
    // It went away while the session was asked.
    if (!taken) this.#events.onDetached(attached.instance)
  }

  async #call(instance: InstanceRoute, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const seq = Number(request.headers[wire.SEQ])
    const text = await bodyText(request)
    const answer = await this.#take(instance, seq, text).finally(() => instance.answered(seq))
    if ('refusal' in answer) refuse(response, instance, answer.refusal, 400)
    else reply(response, instance, { value: answer.value ?? null })
  }

  #ahead(instance: InstanceRoute, ahead: wire.Ahead | undefined): void {
    if (ahead === undefined || instance.knows(ahead.ahead)) return
    if (ahead.path === '/call') void this.#take(instance, ahead.ahead, ahead.body).catch(() => undefined)
    else this.#events.onExecAhead(instance, ahead)
  }

  /** Takes up a call in its turn. */
  #take(instance: InstanceRoute, seq: number, text: string): Promise<ReturnType<SessionCalls['call']>> {
    const call = parseCall(text)
    return instance.once(seq, async () => {
      if (call !== undefined) return this.#ask(instance, call)
      return { refusal: { message: 'Moorage did not understand a call of the Worker.' } }
    })
  }

  #ask(instance: InstanceRoute, call: wire.Call): Promise<ReturnType<SessionCalls['call']>> {
    const answering = this.#events.ask.call({ instance: instance.id, call })
    if (call.method === 'start') {
      const { starting } = instance.object
      starting.add(answering)
      answering.then(
        () => starting.delete(answering),
        () => starting.delete(answering),
      )
    }
    return answering
  }

  async #end(instance: InstanceRoute, request: IncomingMessage, response: ServerResponse): Promise<void> {
    instance.polls.add(response)
    response.on('close', () => instance.polls.delete(response))
    await this.#after(instance, request)
    const outcome = await this.#events.ask.end({ instance: instance.id, life: Number(request.headers[wire.LIFE]) })
    if (!response.headersSent && !response.destroyed) reply(response, instance, outcome)
  }

  async #tunnel(instance: InstanceRoute, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const id = String(request.headers[wire.TUNNEL])
    const tunnel = instance.tunnel(id)
    const opened = await tunnel.opened.promise
    response.writeHead(opened ? 200 : 502).flushHeaders()
    await tunnel.over.promise
    instance.forgetTunnel(id)
    response.end()
  }

  async #port(instance: InstanceRoute, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const port = Number((request.url ?? '').slice('/port/'.length))
    response.once('close', instance.object.opened())
    const client = await this.#ready(instance, request)
    if (client === undefined) {
      refuse(response, instance, this.#refusalOf(new NotRunning(), instance, port))
      return
    }
    const target = new URL(String(request.headers[wire.URL_HEADER]))
    client.forward(request, response, port, target, [wire.RUNNING, running(instance)], (error) =>
      refuse(response, instance, this.#refusalOf(error, instance, port)),
    )
  }

  async #portUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const instance = this.#instances.get(String(request.headers[wire.INSTANCE]))
    const port = Number((request.url ?? '').slice('/port/'.length))
    if (instance !== undefined) socket.once('close', instance.object.opened())
    const client = instance === undefined ? undefined : await this.#ready(instance, request)
    let refusal = this.#refusalOf(instance === undefined ? undefined : new NotRunning(), instance, port)
    if (client !== undefined && instance !== undefined) {
      try {
        const target = new URL(String(request.headers[wire.URL_HEADER]))
        await client.upgrade(request, socket, head, port, target)
        return
      } catch (error) {
        refusal = this.#refusalOf(error, instance, port)
      }
    }
    socket.end(
      `HTTP/1.1 502 Bad Gateway\r\n${wire.ERROR}: ${encoded(refusal)}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`,
    )
  }

  /** What the isolate is told, and the session with it. */
  #refusalOf(error: unknown, instance: InstanceRoute | undefined, port: number): wire.Refusal {
    if (error instanceof NotRunning) return { message: error.message }
    if (!(error instanceof DialError && error.refused)) return LOST
    if (instance?.object.mayTellRefusal(Date.now()) === true) this.#events.onRefused(instance.object.key, port)
    return { message: `The Container is not listening to port ${port}`, retryable: true }
  }

  async #ready(instance: InstanceRoute, request: IncomingMessage): Promise<PortClient | undefined> {
    await this.#after(instance, request)
    return instance.object.client()
  }

  #after(instance: InstanceRoute, request: IncomingMessage): Promise<void> {
    const seq = Number(request.headers[wire.SEQ] ?? 0)
    return instance.after(Number.isSafeInteger(seq) ? seq : 0)
  }

  #object(key: string): ObjectRoute {
    let object = this.#objects.get(key)
    if (object === undefined) {
      object = new ObjectRoute(key, (open) => this.#events.onOpen(key, open))
      this.#objects.set(key, object)
    }
    return object
  }
}
