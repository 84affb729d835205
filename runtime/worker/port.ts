/** A TCP port of the container: HTTP by way of the relay, which restores what workerd changes, and raw connections. */
import { connect } from 'cloudflare:sockets'
import { ERROR, OWN, type Refusal, RUNNING, STRIP } from '../protocol/worker.ts'
import { NO_HTTPS, refusalError, requireArgument } from './check.ts'
import { type Link, runningOf } from './link.ts'
import { fetch } from './relay.ts'

/** What workerd says of a connection that cannot be made. */
const NO_ADDRESS = 'proxy request failed, cannot connect to the specified address'

/** Headers that workerd adds to a request on its way out. Those the caller did not set, the relay takes off again. */
const ADDED = ['cf-worker', 'accept-encoding', 'user-agent']

/** Headers of the caller that workerd would take off or overwrite on the way, or that we use ourselves. */
const DISTURBED = /^(cf-|cdn-loop$|x-moorage-)/

const REDIRECTS = new Set([301, 302, 303, 307, 308])
const MAX_REDIRECTS = 20

/** What getTcpPort() returns. */
export interface Fetcher {
  fetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response>
  connect(address: SocketAddress | string, options?: SocketOptions): Socket
}

/** Told what each answer says about `running`. */
type Heard = (seq: number, running: boolean) => void

/**
 * Opens nothing yet: each fetch() and connect() does.
 * @param heard is told what each answer says about `running`.
 */
export function openPort(port: number, link: Link, heard: Heard): Fetcher {
  return new Port(port, link, heard)
}

class Port implements Fetcher {
  readonly #port: number
  readonly #link: Link
  readonly #heard: Heard

  constructor(port: number, link: Link, heard: Heard) {
    this.#port = port
    this.#link = link
    this.#heard = heard
  }

  async fetch(...args: [RequestInfo | URL, RequestInit?]): Promise<Response> {
    requireArgument(args, 'fetch', 'Request or string', 'Fetcher')
    // Redirects are the caller's affair, unless it says otherwise in so many words.
    const [input, init] = args
    const request = new Request(init === undefined ? input : new Request(input, init), { redirect: 'manual' })
    if (init?.redirect !== 'follow') return this.#send(request)
    return follow(request, (next) => this.#send(next))
  }

  connect(...args: [SocketAddress | string, SocketOptions?]): Socket {
    requireArgument(args, 'connect', 'SocketAddress or string', 'Fetcher')
    const address = checkAddress(args[0])
    return tunnel(this.#port, this.#link, address, args[1])
  }

  get [Symbol.toStringTag](): string {
    return 'Fetcher'
  }

  /** One request into the container and its answer. The request is ours, and its headers are changed. */
  async #send(request: Request): Promise<Response> {
    const { url } = request
    if (url.startsWith('https:')) throw new Error(NO_HTTPS)
    if (!url.startsWith('http:')) throw new TypeError(`Fetch API cannot load: ${url}`)
    const { target, headers, seq } = this.#link.port(this.#port, url)
    headers[STRIP] = shelter(request.headers).join()
    for (const name in headers) request.headers.set(name, headers[name] as string)
    const response = await fetch(target, request)
    const running = runningOf(response)
    if (running !== undefined) this.#heard(seq, running)
    return received(response, url)
  }
}

/** Brings what would not come through under other names, and returns the names of what on the wire is not the caller's. */
function shelter(headers: Headers): string[] {
  const strip = ADDED.filter((name) => !headers.has(name))
  const disturbed = [...headers].filter(([name]) => DISTURBED.test(name))
  for (const [name, value] of disturbed) {
    headers.delete(name)
    headers.set(`${OWN}${name}`, value)
    strip.push(name)
  }
  return strip
}

/** Follows redirects into the same port, as fetch does. @throws TypeError after too many, or where a body would be sent twice. */
async function follow(first: Request, send: (request: Request) => Promise<Response>): Promise<Response> {
  let request = first
  for (let redirects = 0; ; redirects++) {
    const { method, signal } = request
    const headers = new Headers(request.headers)
    const hasBody = request.body !== null
    const response = await send(request)
    const location = response.headers.get('location')
    if (!REDIRECTS.has(response.status) || location === null) {
      return redirects === 0
        ? response
        : Object.defineProperty(response, 'redirected', { value: true, configurable: true })
    }
    await response.body?.cancel()
    if (redirects === MAX_REDIRECTS) throw new TypeError('Too many redirects.')
    const toGet = response.status === 303 ? method !== 'HEAD' : response.status < 307 && method === 'POST'
    if (hasBody && !toGet)
      throw new TypeError(
        'A request with a one-time-use body (it was initialized from a stream, not a buffer) encountered a redirect requiring the body to be retransmitted.',
      )
    request = new Request(new URL(location, request.url), {
      method: toGet ? 'GET' : method,
      headers,
      signal,
      redirect: 'manual',
    })
    if (toGet)
      for (const name of ['content-type', 'content-length', 'content-encoding', 'content-language'])
        request.headers.delete(name)
  }
}

/** The container's answer without ours in it; throws what the relay says instead of one. */
async function received(response: Response, url: string): Promise<Response> {
  const refused = response.headers.get(ERROR)
  if (refused !== null) {
    await response.body?.cancel()
    throw refusalError(JSON.parse(decodeURIComponent(refused)) as Refusal)
  }
  const answer = new Response(response.body, response)
  answer.headers.delete(RUNNING)
  Object.defineProperty(answer, 'url', { value: url, configurable: true })
  return answer
}

/**
 * The address for connect(): only its port is looked at, and only whether there is one.
 * @throws TypeError in the platform's words.
 */
function checkAddress(value: SocketAddress | string): string {
  const text = typeof value === 'object' && value !== null ? `${value.hostname}:${value.port}` : `${value}`
  const match = /^(?:\[[^\]]*\]|[^:]*)(?::(.*))?$/.exec(text)
  if (match && match[1] === undefined) throw new TypeError('Specified address is missing port.')
  if (!match || !/^\d+$/.test(match[1] ?? '') || Number(match[1]) > 65535)
    throw new TypeError('Specified address could not be parsed.')
  return text
}

/**
 * A Socket at once; the connection behind it comes when it comes, and what is written waits for it. Its streams are those
 * of workerd's own socket: only they can be piped into whatever a Worker may have.
 */
function tunnel(port: number, link: Link, address: string, options: Partial<SocketOptions> = {}): Socket {
  const { secureTransport = 'off', allowHalfOpen = false } = options
  if (!['off', 'on', 'starttls'].includes(secureTransport)) {
    throw new TypeError(`Unsupported value in secureTransport socket option: ${secureTransport}`)
  }
  const { address: relay, head, opened, over } = link.tunnel(port)
  const inner = connect(relay, { secureTransport: 'off', allowHalfOpen })
  const writer = inner.writable.getWriter()
  writer.write(new TextEncoder().encode(head)).catch(() => {})
  writer.releaseLock()
  const refused = secureTransport === 'on' ? Promise.reject(new Error(NO_ADDRESS)) : undefined
  refused?.catch(() => {})
  over.catch(() => {})
  if (secureTransport === 'on') void inner.close()
  return socketOf({
    readable: inner.readable,
    writable: inner.writable,
    opened: refused ?? opened.then(() => ({ remoteAddress: address }) as SocketInfo),
    // However a connection ends, the platform calls it closed; what is lost with it shows where it is read or written.
    // workerd's own socket would not notice before someone reads or writes.
    closed: refused ?? Promise.race([over, inner.closed]).catch(() => {}),
    upgraded: false,
    secureTransport: secureTransport as Socket['secureTransport'],
    close: async () => {
      await inner.close()
    },
    startTls: () => {
      if (secureTransport === 'starttls') throw new Error('startTls() is not supported on this connection.')
      throw new TypeError("The `secureTransport` socket option must be set to 'starttls' for startTls to be used.")
    },
  })
}

/** What the platform shows as a Socket. */
function socketOf(parts: Omit<Socket, 'protocol' | 'proxyTo'>): Socket {
  return Object.defineProperty(parts, Symbol.toStringTag, { value: 'Socket' }) as unknown as Socket
}
