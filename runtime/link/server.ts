import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { sameSecret } from '../base/secret.ts'
import { Loopback } from './loopback.ts'

/** What opens paths of the server. */
export interface Door {
  /** The one path that it opens; without it, all that no other door has. */
  readonly path?: string
  /** Name of the header that bears the token. */
  readonly header: string
  readonly token: string
  /** Requests bear headers of the developer's own, Origin among them; at another door that is the sign of a web page. */
  readonly anyOrigin?: true
}

/** What the server hands on, after its checks. */
export interface ServerRoutes {
  request(request: IncomingMessage, response: ServerResponse): void
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
  connect(request: IncomingMessage, socket: Duplex, head: Buffer): void
}

/**
 * A loopback server: the relay's, for isolates and for terminals that join the session, and the session's own, for those who
 * share it. Whoever has not the token, or names another host than this server (a web page with a rebound name), gets 403
 * and nothing else.
 */
export class LoopbackServer {
  readonly #loopback = new Loopback()
  readonly #doors: readonly Door[]
  #hosts = new Set<string>()

  constructor(doors: readonly Door[], routes: ServerRoutes) {
    this.#doors = doors
    const { server } = this.#loopback
    server.keepAliveTimeout = 60_000
    server.maxHeadersCount = 2_000
    server.on('request', (request, response) => {
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
    server.on('upgrade', guarded(routes.upgrade))
    server.on('connect', guarded(routes.connect))
  }

  /** Listens on a free loopback port and returns it. */
  async listen(): Promise<number> {
    const port = await this.#loopback.listen()
    this.#hosts = new Set([`127.0.0.1:${port}`, `localhost:${port}`])
    return port
  }

  /** Ends every connection. */
  close(): void {
    this.#loopback.close()
  }

  #lawful(request: IncomingMessage, tunnel = false): boolean {
    const door =
      this.#doors.find(({ path }) => path === request.url) ?? this.#doors.find(({ path }) => path === undefined)
    const token = request.headers[door?.header ?? '']
    if (door === undefined || typeof token !== 'string') return false
    if (!sameSecret(Buffer.from(token), Buffer.from(door.token))) return false
    if (door.anyOrigin !== true && request.headers.origin !== undefined) return false
    return tunnel || this.#hosts.has(request.headers.host ?? '')
  }
}
