/** Calls to the engine: bodies and streams in and out, upgrades, and errors as the project tells them. Knows nothing of containers. */
import { IncomingMessage } from 'node:http'
import type { Duplex, Readable } from 'node:stream'
import type { EngineAddress } from '../protocol/child.ts'
import { MoorageError } from '../protocol/errors.ts'
import { readAddress, sayAddress } from './address.ts'
import { answerError, connectionError } from './errors.ts'
import { type Dial, Modem } from './modem.ts'

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
  private readonly modem: Modem

  /** `ssh` is the command used for ssh addresses. Connects only when called. */
  constructor(address: EngineAddress, ssh = 'ssh') {
    this.address = address
    const where = readAddress(address)
    this.name = sayAddress(where)
    this.modem = new Modem(where, ssh)
  }

  /** Calls and resolves as soon as the engine has answered with a success; its body is then the caller's to read or destroy. */
  async send(call: Call): Promise<IncomingMessage> {
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
  async upgrade(call: Call): Promise<Duplex> {
    const answer = await this.dial(call, { headers: { 'Content-Type': 'text/plain', ...call.headers }, upgrade: true })
    if (answer instanceof IncomingMessage) throw await this.refusal(answer, call)
    return answer
  }

  /** Ends every connection, also those in use; what waits on them rejects. */
  close(): void {
    this.modem.close()
  }

  private async once(call: Call): Promise<IncomingMessage> {
    const json = call.json === undefined ? undefined : Buffer.from(JSON.stringify(call.json))
    const body = json ?? call.stream
    const headers: Record<string, string> = body
      ? { 'Content-Type': json ? 'application/json' : 'application/x-tar' }
      : {}
    try {
      const response = (await this.dial(call, { headers: { ...headers, ...call.headers }, body })) as IncomingMessage
      const status = response.statusCode ?? 0
      if (status >= 200 && status < 400) return response
      throw await this.refusal(response, call)
    } catch (error) {
      // An engine that refuses does not read the rest.
      if (body && !Buffer.isBuffer(body)) body.destroy()
      throw error
    }
  }

  private async dial(call: Call, more: Pick<Dial, 'headers' | 'body' | 'upgrade'>): Promise<IncomingMessage | Duplex> {
    const { method, signal } = call
    signal?.throwIfAborted()
    try {
      return await this.modem.dial({ method, path: call.path + queryString(call.query), signal, ...more })
    } catch (error) {
      signal?.throwIfAborted()
      // Nothing was answered, and these repeat harmlessly.
      if (this.modem.isStale(error) && /GET|HEAD|DELETE/.test(method)) throw new StaleConnection()
      throw connectionError(error, call.doing, this.name)
    }
  }

  private async refusal(response: IncomingMessage, call: Call): Promise<unknown> {
    try {
      return answerError(response.statusCode ?? 0, await readAll(response), call.doing)
    } catch (error) {
      return connectionError(error, call.doing, this.name)
    }
  }
}

class StaleConnection extends Error {}

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
