/** A TCP port of the container: HTTP by way of the relay, which restores what workerd changes, and raw connections. */
import { connect } from 'cloudflare:sockets'
import { ERROR, RUNNING, STRIP, type Refusal } from '../protocol/worker.ts'
import { CONNECTION_LOST, NO_HTTPS, NO_TLS, refusalError, requireArgument } from './check.ts'
import { type Link, runningOf } from './link.ts'

/** Taken before a Worker can replace it. */
const fetch = globalThis.fetch.bind(globalThis)

/** Headers that workerd adds to a request on its way out. Those the caller did not set, the relay takes off again. */
const ADDED = ['accept-encoding', 'cf-worker', 'user-agent', 'content-type', 'accept']

/** What getTcpPort() returns. */
export interface Fetcher {
  fetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response>
  connect(address: SocketAddress | string, options?: SocketOptions): Socket
}

/**
 * Opens nothing yet: each fetch() and connect() does.
 * @param heard is told what each answer says about `running`.
 */
export function openPort(port: number, link: Link, heard: (seq: number, running: boolean) => void): Fetcher {
  class Port implements Fetcher {
    async fetch(...args: [RequestInfo | URL, RequestInit?]): Promise<Response> {
      requireArgument(args, 'fetch', 'Request or string', 'Fetcher')
      const request = new Request(...args)
      const { protocol } = new URL(request.url)
      if (protocol === 'https:') throw new Error(NO_HTTPS)
      if (protocol !== 'http:') throw new TypeError(`Fetch API cannot load: ${request.url}`)
      const { target, headers, seq } = link.port(port, request.url)
      const outgoing = new Request(target, new Request(request, { redirect: 'manual' }))
      const strip = ADDED.filter((name) => !request.headers.has(name))
      for (const [name, value] of Object.entries({ ...headers, [STRIP]: strip.join() })) outgoing.headers.set(name, value)
      const response = await fetch(outgoing)
      const running = runningOf(response)
      if (running !== undefined) heard(seq, running)
      return received(response, request.url)
    }

    connect(...args: [SocketAddress | string, SocketOptions?]): Socket {
      requireArgument(args, 'connect', 'SocketAddress or string', 'Fetcher')
      const address = checkAddress(args[0])
      return tunnel(port, link, address, args[1])
    }

    get [Symbol.toStringTag](): string {
      return 'Fetcher'
    }
  }
  return new Port()
}

/** The container's answer without ours in it; throws what the relay says instead of one. */
async function received(response: Response, url: string): Promise<Response> {
  const refused = response.headers.get(ERROR)
  if (refused !== null) {
    await response.body?.cancel()
    throw refusalError(JSON.parse(decodeURIComponent(refused)) as Refusal)
  }
  const headers = new Headers(response.headers)
  headers.delete(RUNNING)
  const { status, statusText, webSocket } = response
  const answer = new Response(response.body, { status, statusText, headers, ...(webSocket && { webSocket }) })
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
  if (!match || !/^\d+$/.test(match[1] ?? '') || Number(match[1]) > 65535) throw new TypeError('Specified address could not be parsed.')
  return text
}

/** A Socket at once; the connection behind it comes when it comes, and what is written waits for it. */
function tunnel(port: number, link: Link, address: string, options: Partial<SocketOptions> = {}): Socket {
  const { secureTransport = 'off', allowHalfOpen = false } = options
  if (!['off', 'on', 'starttls'].includes(secureTransport)) {
    throw new TypeError(`Unsupported value in secureTransport socket option: ${secureTransport}`)
  }
  // Native on both sides, so that bytes move without JavaScript, behind a closed input gate too.
  const incoming = new IdentityTransformStream()
  const outgoing = new IdentityTransformStream()
  const lost = new Error(CONNECTION_LOST)
  let inner: Socket | undefined
  let closing = false

  const opened = (async () => {
    if (secureTransport === 'on') throw new Error(NO_TLS)
    const { address: relay, head } = link.tunnel(port)
    inner = connect(relay, { secureTransport: 'off', allowHalfOpen: true })
    const writer = inner.writable.getWriter()
    await writer.write(new TextEncoder().encode(head))
    writer.releaseLock()
    const connected = await readHead(inner.readable)
    return { connected, info: { remoteAddress: address } as SocketInfo }
  })()

  const closed = (async () => {
    const { connected } = await opened
    if (!inner || !connected || closing) {
      await Promise.allSettled([outgoing.writable.abort(lost), incoming.writable.close(), inner?.close()])
      return
    }
    const socket = inner
    const down = socket.readable.pipeTo(incoming.writable)
    const up = outgoing.readable.pipeTo(socket.writable)
    up.catch(() => {})
    await down
    if (!allowHalfOpen) {
      await Promise.allSettled([outgoing.writable.abort(lost)])
    }
    await Promise.allSettled([up])
    await socket.close()
  })()
  closed.catch(() => {})
  opened.catch((error: unknown) => {
    void Promise.allSettled([outgoing.writable.abort(error), incoming.writable.abort(error)])
  })

  const close = async (): Promise<void> => {
    closing = true
    await Promise.allSettled([outgoing.writable.close()])
    await inner?.close()
    return closed
  }
  const startTls = (): never => {
    throw new TypeError('The `secureTransport` socket option must be set to \'starttls\' for startTls to be called.')
  }
  const socket = {
    readable: incoming.readable,
    writable: outgoing.writable,
    opened: opened.then(({ info }) => info),
    closed,
    close,
    startTls,
    upgraded: false,
    secureTransport,
  }
  socket.opened.catch(() => {})
  return Object.defineProperty(socket, Symbol.toStringTag, { value: 'Socket' }) as unknown as Socket
}

/** Reads the relay's answer to CONNECT, and not one byte more. Whether something listens. */
async function readHead(readable: ReadableStream): Promise<boolean> {
  const reader = readable.getReader({ mode: 'byob' })
  let text = ''
  while (!text.endsWith('\r\n\r\n')) {
    const { value, done } = await reader.read(new Uint8Array(1))
    if (done || value === undefined) break
    text += String.fromCharCode(value[0] ?? 0)
  }
  reader.releaseLock()
  return text.startsWith('HTTP/1.1 200')
}
