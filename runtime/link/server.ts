import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { sameSecret } from '../base/secret.ts'
import { CLIENT_TOKEN } from '../protocol/client.ts'
import { TOKEN } from '../protocol/worker.ts'

/** What the server hands on, after its checks. */
export interface ServerRoutes {
  request(request: IncomingMessage, response: ServerResponse): void
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
  connect(request: IncomingMessage, socket: Duplex, head: Buffer): void
}

/**
 * The relay's loopback server, for isolates, and for terminals that join the session. Whoever has not the token, or names another host than this server
 * (a web page with a rebound name), gets 403 and nothing else.
 */
export class LoopbackServer {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #token: Buffer
  readonly #clientToken: Buffer
  #hosts = new Set<string>()

  /** @param clientToken opens `/client` and nothing else, as `token` opens all but that. */
  constructor(token: string, clientToken: string, routes: ServerRoutes) {
    this.#token = Buffer.from(token)
    this.#clientToken = Buffer.from(clientToken)
    this.#server = createServer({ keepAlive: true, noDelay: true, highWaterMark: 262_144 })
    this.#server.keepAliveTimeout = 60_000
    this.#server.requestTimeout = 0
    this.#server.headersTimeout = 0
    this.#server.timeout = 0
    this.#server.maxHeadersCount = 2_000
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
    })
    this.#server.on('request', (request, response) => {
      // The isolate sees the headers of an answer, so Node adds none by itself; connections stay open all the same.
      response.sendDate = false
      response.removeHeader('connection')
      if (this.#lawful(request)) routes.request(request, response)
      else response.writeHead(403).end()
    })
    const guarded = (route: ServerRoutes['upgrade']) => (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      socket.on('error', () => socket.destroy())
      if (this.#lawful(request, route === routes.connect)) route(request, socket, head)
      else socket.end('HTTP/1.1 403 Forbidden\r\nconnection: close\r\n\r\n')
    }
    this.#server.on('upgrade', guarded(routes.upgrade))
    this.#server.on('connect', guarded(routes.connect))
    this.#server.on('clientError', (_, socket) => socket.destroy())
  }

  /** Listens on a free loopback port and returns it. */
  async listen(): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(0, '127.0.0.1', resolve)
    })
    const { port } = this.#server.address() as AddressInfo
    this.#hosts = new Set([`127.0.0.1:${port}`, `localhost:${port}`])
    return port
  }

  /** Ends every connection. */
  close(): void {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }

  #lawful(request: IncomingMessage, tunnel = false): boolean {
    const isClient = request.url === '/client'
    const token = request.headers[isClient ? CLIENT_TOKEN : TOKEN]
    const wanted = isClient ? this.#clientToken : this.#token
    if (typeof token !== 'string' || !sameSecret(Buffer.from(token), wanted)) return false
    return tunnel || this.#hosts.has(request.headers.host ?? '')
  }
}
