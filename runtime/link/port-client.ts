import { Agent, type ClientRequest, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { STRIP } from '../protocol/worker.ts'
import type { AgentLink } from './agent.ts'
import type { Connection } from './connection.ts'
import { answerHeaders, mayRepeat, requestHeaders } from './port-request.ts'

/** HTTP and raw connections into one container. Closing it closes the connections that it keeps for the next request. */
export class PortClient {
  readonly #link: AgentLink
  readonly #agent: Agent

  constructor(link: AgentLink) {
    this.#link = link
    this.#agent = new Agent({ keepAlive: true, maxFreeSockets: 32 })
    // Node's Agent takes the answer by the callback; its types know only net.Socket.
    Object.assign(this.#agent, {
      createConnection: (options: { port: number }, done: (error: Error | null, connection?: Connection) => void) => {
        link.dial(options.port).then((connection) => done(null, connection), done)
      },
    })
  }

  /** A raw connection to a port. @throws DialError */
  dial(port: number): Promise<Connection> {
    return this.#link.dial(port)
  }

  close(): void {
    this.#agent.destroy()
  }

  /**
   * Sends `incoming` to a port and its answer back through `outgoing`. Both are then ours: a break on one side breaks the
   * other. `fail` is called where no answer came at all.
   */
  forward(
    incoming: IncomingMessage,
    outgoing: ServerResponse,
    port: number,
    target: URL,
    extra: readonly string[],
    fail: (error: Error) => void,
  ): void {
    const headers = requestHeaders(incoming.rawHeaders, target.host, strippedOf(incoming))
    const send = (again: boolean): void => {
      const upstream = request({
        agent: this.#agent,
        host: 'container',
        port,
        method: incoming.method ?? 'GET',
        path: target.pathname + target.search,
        headers: headers as unknown as Record<string, string>,
        setHost: false,
      })
      upstream.on('response', (answer) => this.#answer(answer, outgoing, extra))
      upstream.on('error', (error) => {
        if (outgoing.headersSent || outgoing.destroyed) outgoing.destroy()
        else if (again && upstream.reusedSocket && mayRepeat(upstream.method, incoming.headers)) send(false)
        else fail(error)
      })
      this.#pump(incoming, upstream, outgoing)
    }
    send(true)
  }

  #pump(incoming: IncomingMessage, upstream: ClientRequest, outgoing: ServerResponse): void {
    outgoing.once('close', () => {
      if (!outgoing.writableFinished) upstream.destroy()
    })
    if (mayRepeat(upstream.method, incoming.headers)) upstream.end()
    else incoming.pipe(upstream)
  }

  #answer(answer: IncomingMessage, outgoing: ServerResponse, extra: readonly string[]): void {
    outgoing.writeHead(answer.statusCode ?? 502, answer.statusMessage ?? '', [
      ...answerHeaders(answer.rawHeaders),
      ...extra,
    ] as unknown as Record<string, string>)
    outgoing.flushHeaders()
    answer.on('error', () => outgoing.destroy())
    answer.pipe(outgoing)
  }

  /** Sends an upgrade request over a raw connection and joins the two; what the container answers goes back as it is. */
  async upgrade(incoming: IncomingMessage, socket: Duplex, head: Buffer, port: number, target: URL): Promise<void> {
    const connection = await this.#link.dial(port)
    const headers = requestHeaders(incoming.rawHeaders, target.host, strippedOf(incoming))
    headers.push('Connection', 'Upgrade')
    let text = `${incoming.method ?? 'GET'} ${target.pathname}${target.search} HTTP/1.1\r\n`
    for (let i = 0; i < headers.length; i += 2) text += `${headers[i]}: ${headers[i + 1]}\r\n`
    connection.write(`${text}\r\n`, 'latin1')
    if (head.length > 0) connection.write(head)
    join(socket, connection)
  }
}

function strippedOf(incoming: IncomingMessage): string {
  const strip = incoming.headers[STRIP]
  return typeof strip === 'string' ? strip : ''
}

/** Joins two byte streams, half-closes included; when one breaks, so does the other. */
export function join(a: Duplex, b: Duplex): void {
  a.on('error', () => b.destroy())
  b.on('error', () => a.destroy())
  a.on('close', () => b.destroy())
  b.on('close', () => a.destroy())
  a.pipe(b)
  b.pipe(a)
}
