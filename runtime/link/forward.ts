/** A port of a container for browsers and other programs of this machine: a loopback server that wants a secret first. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { makeSecret, sameSecret } from '../base/secret.ts'
import { DialError } from './agent.ts'
import { Loopback } from './loopback.ts'
import type { PortClient } from './port-client.ts'

/** What a forward needs of its object. */
export interface ForwardOptions {
  readonly port: number
  /** What leads into the container that runs now; undefined where none does. */
  client(): Promise<PortClient | undefined>
  /** A request or connection begins; the result is called once when it has ended. */
  opened(): () => void
}

/**
 * Serves one port of an object's container, of whichever runs. Who opens the url gets a cookie and is led to `/`; whoever has
 * neither, names another host (a web page with a rebound name), or comes from another page, gets 403 and nothing else.
 */
export class PortForward {
  readonly #options: ForwardOptions
  readonly #loopback = new Loopback()
  readonly #secret = Buffer.from(makeSecret()).toString('hex')
  #port = 0

  constructor(options: ForwardOptions) {
    this.#options = options
    const { server } = this.#loopback
    server.on('request', (request, response) => {
      response.sendDate = false
      response.removeHeader('connection')
      void this.#request(request, response).catch(() => response.destroy())
    })
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      socket.on('error', () => socket.destroy())
      void this.#upgrade(request, socket, head).catch(() => socket.destroy())
    })
  }

  /** Listens on a free loopback port and resolves with the url. */
  async listen(): Promise<string> {
    this.#port = await this.#loopback.listen()
    return `http://127.0.0.1:${this.#port}/${this.#secret}`
  }

  /** Ends every connection. */
  close(): void {
    this.#loopback.close()
  }

  async #request(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!this.#isOurs(request)) {
      response.writeHead(403).end()
      return
    }
    if (this.#isSecret((request.url ?? '').slice(1))) {
      const cookie = `${this.#cookie}=${this.#secret}; Path=/; HttpOnly; SameSite=Strict`
      response.writeHead(302, { 'set-cookie': cookie, location: '/', 'cache-control': 'no-store' }).end()
      return
    }
    const target = this.#admit(request)
    if (target === undefined) {
      response.writeHead(403).end()
      return
    }
    response.once('close', this.#options.opened())
    const client = await this.#options.client()
    if (client === undefined) {
      this.#refuse(response)
      return
    }
    client.forward(request, response, this.#options.port, target, [], (error) => this.#refuse(response, error))
  }

  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const target = this.#isOurs(request) ? this.#admit(request) : undefined
    if (target === undefined) {
      socket.end('HTTP/1.1 403 Forbidden\r\nconnection: close\r\ncontent-length: 0\r\n\r\n')
      return
    }
    socket.once('close', this.#options.opened())
    const client = await this.#options.client()
    try {
      if (client === undefined) throw new Error('nothing runs')
      await client.upgrade(request, socket, head, this.#options.port, target)
    } catch {
      socket.end('HTTP/1.1 502 Bad Gateway\r\nconnection: close\r\ncontent-length: 0\r\n\r\n')
    }
  }

  /** Whether a request names this server, and comes from no other page. */
  #isOurs({ headers: { host, origin } }: IncomingMessage): boolean {
    const hosts = [`127.0.0.1:${this.#port}`, `localhost:${this.#port}`]
    return hosts.includes(host ?? '') && (origin === undefined || hosts.includes(origin.replace(/^http:\/\//, '')))
  }

  /** Where a request with our cookie goes; the cookie is taken off it. Undefined where it has none. */
  #admit(request: IncomingMessage): URL | undefined {
    const { rawHeaders } = request
    let admitted = false
    for (let i = rawHeaders.length - 2; i >= 0; i -= 2) {
      if (rawHeaders[i]?.toLowerCase() !== 'cookie') continue
      const all = (rawHeaders[i + 1] ?? '').split(/; */)
      const others = all.filter((one) => !one.startsWith(`${this.#cookie}=`))
      admitted ||= all.some(
        (one) => one.startsWith(`${this.#cookie}=`) && this.#isSecret(one.slice(this.#cookie.length + 1)),
      )
      if (others.length === 0) rawHeaders.splice(i, 2)
      else rawHeaders[i + 1] = others.join('; ')
    }
    // A path with two slashes is one, and no other host.
    return admitted ? new URL(`http://${request.headers.host}${pathOf(request)}`) : undefined
  }

  /** Cookies are of a host, whatever the port: another forward's must not take this one's place. */
  get #cookie(): string {
    return `moorage-${this.#port}`
  }

  #isSecret(text: string): boolean {
    return sameSecret(Buffer.from(text), Buffer.from(this.#secret))
  }

  #refuse(response: ServerResponse, error?: Error): void {
    const { port } = this.#options
    const why =
      error === undefined
        ? 'The container does not run.'
        : error instanceof DialError && error.refused
          ? `Nothing listens on port ${port} of the container.`
          : `Port ${port} of the container did not answer.`
    response.writeHead(502, { 'content-type': 'text/plain; charset=utf-8' }).end(`${why}\n`)
  }
}

function pathOf({ url = '/' }: IncomingMessage): string {
  return url.startsWith('/') ? url : '/'
}
