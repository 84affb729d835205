import {
  Agent,
  type AgentOptions,
  type ClientRequest,
  type IncomingMessage,
  request,
  type ServerResponse,
} from 'node:http'
import type { Duplex } from 'node:stream'
import { STRIP } from '../protocol/worker.ts'
import type { AgentLink } from './agent.ts'
import type { Connection } from './connection.ts'
import { answerHeaders, mayRepeat, requestHeaders } from './port-request.ts'

/** HTTP and raw connections into one container. Closing it closes the connections that it keeps for the next request. */
export class PortClient {
  /** Ports that have answered HTTP. */
  readonly answered = new Set<number>()
  readonly #link: AgentLink
  readonly #agent: Agent
  /** For a request that found a kept connection dead: a new one, and no other that may be as dead. */
  readonly #fresh: Agent

  constructor(link: AgentLink) {
    this.#link = link
    this.#agent = agentOver(link, { keepAlive: true, maxFreeSockets: 32 })
    this.#fresh = agentOver(link, {})
  }

  /** A raw connection to a port. @throws DialError */
  dial(port: number): Promise<Connection> {
    return this.#link.dial(port)
  }

  close(): void {
    this.#agent.destroy()
    this.#fresh.destroy()
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
    const headers = byName(requestHeaders(incoming.rawHeaders, target.host, strippedOf(incoming)))
    /** @param lost how a kept connection broke on the first try. */
    const send = (lost?: Error): void => {
      const upstream = request({
        agent: lost === undefined ? this.#agent : this.#fresh,
        host: 'container',
        port,
        method: incoming.method ?? 'GET',
        path: target.pathname + target.search,
        setHost: false,
      })
      for (const [name, values] of headers) upstream.setHeader(name, values)
      // Node adds nothing of its own: neither this, although connections are kept, nor chunks where there is no body.
      upstream.removeHeader('connection')
      upstream.useChunkedEncodingByDefault = false
      upstream.on('response', (answer) => {
        this.answered.add(port)
        this.#answer(answer, outgoing, extra)
      })
      upstream.on('error', (error) => {
        // A server may answer and end before it has read all of the request: the answer still counts.
        if (outgoing.writableEnded) return
        if (outgoing.headersSent || outgoing.destroyed) outgoing.destroy()
        else if (lost === undefined && upstream.reusedSocket && mayRepeat(upstream.method, incoming.headers))
          send(error)
        else fail(lost ?? error)
      })
      this.#pump(incoming, upstream, outgoing)
    }
    send()
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
    answer.on('error', () => outgoing.destroy())
    answer.pipe(outgoing)
    // A body that is there already goes with the headers in one write; headers without one must not wait for it. What came with
    // them is parsed by the next tick.
    process.nextTick(() => {
      if (!outgoing.destroyed && outgoing.writableLength === 0 && !outgoing.writableEnded) outgoing.flushHeaders()
    })
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
    const answer = await readHead(connection)
    if (answer.startsWith('HTTP/1.')) this.answered.add(port)
    // Refused, it is an ordinary answer, and workerd would keep the connection for its next request: that would end up in
    // the container instead of here.
    socket.write(refusesUpgrade(answer) ? withoutKeeping(answer) : answer, 'latin1')
    join(socket, connection)
  }
}

/** A flat list of names and values as Node's setHeader wants it: each name once, as first written. */
function byName(flat: readonly string[]): [string, string | string[]][] {
  const names = new Map<string, [string, string[]]>()
  for (let i = 0; i + 1 < flat.length; i += 2) {
    const name = flat[i] as string
    const known = names.get(name.toLowerCase())
    if (known === undefined) names.set(name.toLowerCase(), [name, [flat[i + 1] as string]])
    else known[1].push(flat[i + 1] as string)
  }
  return [...names.values()].map(([name, values]) => [name, values.length === 1 ? (values[0] as string) : values])
}

function strippedOf(incoming: IncomingMessage): string {
  const strip = incoming.headers[STRIP]
  return typeof strip === 'string' ? strip : ''
}

/** Joins two byte streams, half-closes included; when one breaks, so does the other. Both may be broken already. */
export function join(a: Duplex, b: Duplex): void {
  follow(a, b)
  follow(b, a)
  a.pipe(b)
  b.pipe(a)
}

/** Breaks `other` when `stream` breaks; one that closed in order leaves the other to write what it still has. */
function follow(stream: Duplex, other: Duplex): void {
  const closed = (): void => {
    if (!other.writableEnded || !other.readableEnded) other.destroy()
  }
  stream.on('error', () => other.destroy())
  stream.on('close', closed)
  if (stream.destroyed) closed()
}

/** Node's HTTP client over connections of an agent's link. */
function agentOver(link: AgentLink, options: AgentOptions): Agent {
  const agent = new Agent(options)
  // Node's Agent takes the answer by the callback; its types know only net.Socket.
  return Object.assign(agent, {
    createConnection: (options: { port: number }, done: (error: Error | null, connection?: Connection) => void) => {
      link.dial(options.port).then((connection) => {
        connection.allowHalfOpen = false
        done(null, connection)
      }, done)
    },
  })
}

/** Longest head of an answer to an upgrade, in bytes: what Node allows of headers, and then some. */
const MAX_HEAD_BYTES = 65_536

/** Reads as far as the empty line, and leaves what follows in the stream. Short where the stream ends before. */
async function readHead(stream: Duplex): Promise<string> {
  let head = ''
  while (!head.includes('\r\n\r\n') && head.length < MAX_HEAD_BYTES) {
    const chunk = stream.read() as Buffer | null
    if (chunk !== null) head += chunk.toString('latin1')
    else if (stream.readableEnded || stream.destroyed) break
    else
      await new Promise<void>((resolve) => {
        const events = ['readable', 'end', 'close', 'error'] as const
        const wake = (): void => {
          for (const event of events) stream.off(event, wake)
          resolve()
        }
        for (const event of events) stream.on(event, wake)
      })
  }
  const end = head.indexOf('\r\n\r\n') + 4
  if (end > 3 && end < head.length) stream.unshift(Buffer.from(head.slice(end), 'latin1'))
  return end > 3 ? head.slice(0, end) : head
}

/** A head that says that its connection ends with it. */
function withoutKeeping(head: string): string {
  return head.replace(/\r\n(?:connection|keep-alive):[^\r]*/gi, '').replace('\r\n', '\r\nConnection: close\r\n')
}

/** Whether the head of an answer to an upgrade is another one than 101. */
function refusesUpgrade(head: string): boolean {
  return !/^HTTP\/1\.1 101 /.test(head)
}
