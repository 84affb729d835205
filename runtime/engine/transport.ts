/** HTTP to the engine: connections kept alive, streams in and out, upgrades. Knows nothing of containers. */
import http from 'node:http'
import https from 'node:https'
import type { Duplex, Readable } from 'node:stream'
import type { EngineAddress } from '../protocol/child.ts'
import { MoorageError } from '../protocol/errors.ts'
import { type Address, readAddress, sayAddress } from './address.ts'
import { answerError, connectionError } from './errors.ts'
import { ProcessSocket, sshArguments } from './ssh.ts'

/** Idle connections kept for the next call. */
const IDLE_CONNECTIONS = 16

type QueryValue = string | number | boolean | undefined | readonly string[] | Readonly<Record<string, unknown>>

/** What every call takes. An aborted call rejects with the signal's reason; the engine may still finish what it began. */
export interface CallOptions {
  readonly signal?: AbortSignal | undefined
}

/** One call. At most one of `json` and `stream`. */
export interface Call {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE'
  /** Path without the API version; ids and names already encoded. */
  readonly path: string
  /** Lists repeat the parameter, objects are sent as JSON. */
  readonly query?: Readonly<Record<string, QueryValue>>
  readonly json?: unknown
  /** A body of any length, read to its end; destroyed when the call fails. */
  readonly stream?: Readable | Buffer
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal | undefined
  /** Completes "The engine could not …" in errors. */
  readonly doing: string
}

/** A way to one engine. Owns its connections until `close`. */
export class Transport {
  readonly address: EngineAddress
  /** The address for people. */
  readonly name: string
  private readonly where: Address
  private readonly agent: http.Agent

  /** `ssh` is the command used for ssh addresses. Connects only when called. */
  constructor(address: EngineAddress, ssh = 'ssh') {
    this.address = address
    this.where = readAddress(address)
    this.name = sayAddress(this.where)
    this.agent = makeAgent(this.where, ssh)
  }

  /** Calls and resolves as soon as the engine has answered with a success; its body is then the caller's to read or destroy. */
  async send(call: Call): Promise<http.IncomingMessage> {
    try {
      return await this.once(call)
    } catch (error) {
      if (!(error instanceof StaleConnection)) throw error
      return await this.once(call)
    }
  }

  /** Calls and resolves with the whole body. */
  async text(call: Call): Promise<string> {
    const response = await this.send(call)
    try {
      return await readAll(response)
    } catch (error) {
      call.signal?.throwIfAborted()
      throw connectionError(error, call.doing, this.name)
    }
  }

  /** Calls and resolves with the parsed body; undefined where it is empty. */
  async json(call: Call): Promise<unknown> {
    const text = await this.text(call)
    try {
      return text === '' ? undefined : JSON.parse(text)
    } catch (cause) {
      const message = `What answers at ${this.name} is no container engine: ${text.slice(0, 80)}`
      throw new MoorageError('engine-error', message, { detail: { problem: 'other' }, cause })
    }
  }

  /** Calls with an upgrade; the connection is then the caller's. */
  upgrade(call: Call): Promise<Duplex> {
    return new Promise((resolve, reject) => {
      const request = this.open(call, { Connection: 'Upgrade', Upgrade: 'tcp' })
      request.on('upgrade', (_response, socket, head) => {
        if (head.length > 0) socket.unshift(head)
        resolve(socket)
      })
      request.on('response', (response) => {
        readAll(response).then(
          (body) => reject(answerError(response.statusCode ?? 0, body, call.doing)),
          (error) => reject(connectionError(error, call.doing, this.name)),
        )
      })
      request.on('error', (error) => reject(this.failure(error, call)))
      request.end()
    })
  }

  /** Ends every connection, also those in use; what waits on them rejects. */
  close(): void {
    this.agent.destroy()
  }

  private once(call: Call): Promise<http.IncomingMessage> {
    return new Promise((resolve, reject) => {
      const body = call.json === undefined ? undefined : JSON.stringify(call.json)
      const request = this.open(
        call,
        body === undefined
          ? {}
          : { 'Content-Type': 'application/json', 'Content-Length': String(Buffer.byteLength(body)) },
      )
      const source = call.stream && !Buffer.isBuffer(call.stream) ? call.stream : undefined
      const fail = (error: unknown) => {
        source?.destroy()
        // An engine that refuses does not read the rest.
        if (source && !request.writableFinished) request.destroy()
        reject(error)
      }
      request.on('response', (response) => {
        const status = response.statusCode ?? 0
        if (status >= 200 && status < 400) return resolve(response)
        readAll(response).then(
          (body) => fail(answerError(status, body, call.doing)),
          (error) => fail(connectionError(error, call.doing, this.name)),
        )
      })
      request.on('error', (error) => {
        // A kept connection may have been closed by the engine in the same moment; nothing was answered, and these repeat harmlessly.
        const stale = request.reusedSocket && /ECONNRESET|EPIPE/.test((error as NodeJS.ErrnoException).code ?? '')
        if (stale && !call.signal?.aborted && /GET|HEAD|DELETE/.test(call.method)) return reject(new StaleConnection())
        fail(this.failure(error, call))
      })
      if (source) {
        source.on('error', fail)
        request.flushHeaders()
        source.pipe(request)
      } else if (call.stream) request.end(call.stream)
      else request.end(body)
    })
  }

  private open(call: Call, headers: Record<string, string>): http.ClientRequest {
    call.signal?.throwIfAborted()
    const where = this.where
    return (where.protocol === 'https' ? https : http).request({
      agent: this.agent,
      ...(where.protocol === undefined
        ? { socketPath: where.socketPath, host: 'docker' }
        : { host: where.host, port: where.port, ...(where.protocol === 'https' ? tlsOptions(where) : {}) }),
      method: call.method,
      path: call.path + queryString(call.query),
      headers: {
        Host: 'docker',
        ...(call.stream ? { 'Content-Type': 'application/x-tar' } : {}),
        ...call.headers,
        ...headers,
      },
      ...(call.signal ? { signal: call.signal } : {}),
    })
  }

  private failure(error: unknown, call: Call): unknown {
    return call.signal?.aborted ? call.signal.reason : connectionError(error, call.doing, this.name)
  }
}

class StaleConnection extends Error {}

function tlsOptions(where: Extract<Address, { protocol: 'https' }>): https.AgentOptions {
  return {
    ca: where.ca,
    cert: where.cert,
    key: where.key,
    rejectUnauthorized: !where.insecure,
    servername: /^[\d.:]+$/.test(where.host) ? '' : where.host,
  }
}

function makeAgent(where: Address, ssh: string): http.Agent {
  const options = { keepAlive: true, maxFreeSockets: IDLE_CONNECTIONS, scheduling: 'lifo' } as const
  if (where.protocol === 'https') return new https.Agent({ ...options, ...tlsOptions(where) })
  const agent = new http.Agent(options)
  if (where.protocol === 'ssh') agent.createConnection = () => new ProcessSocket(ssh, sshArguments(where))
  return agent
}

/** `?a=1&b=2`, or nothing. */
export function queryString(query: Call['query']): string {
  const parts: string[] = []
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value === undefined) continue
    for (const one of Array.isArray(value) ? value : [value]) {
      const text =
        typeof one === 'boolean' ? (one ? '1' : '0') : typeof one === 'object' ? JSON.stringify(one) : String(one)
      parts.push(`${name}=${encodeURIComponent(text)}`)
    }
  }
  return parts.length === 0 ? '' : `?${parts.join('&')}`
}

async function readAll(response: Readable): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}
