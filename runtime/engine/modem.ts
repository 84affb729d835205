/** Requests over dockerode's modem, and what has to be done so that it goes to no other engine than the one it is given. */
import http from 'node:http'
import https from 'node:https'
import process from 'node:process'
import { type Duplex, finished, type Readable } from 'node:stream'
import { inspect } from 'node:util'
import Docker from 'dockerode'
import type { Address } from './address.ts'
import { ProcessSocket, sshArguments } from './ssh.ts'

/** Idle connections kept for the next request. */
const IDLE_CONNECTIONS = 16

/** The modem gives an answer of any status as it came; it is the caller who knows what an engine's errors say. */
const ANY_STATUS = new Proxy({}, { get: () => true })

export interface Dial {
  readonly method: string
  /** With the query. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  /** A stream is read with back-pressure; one that fails rejects the request with its error. */
  readonly body?: Readable | Buffer | undefined
  /** Asks for the connection itself. */
  readonly upgrade?: boolean
  readonly signal?: AbortSignal | undefined
}

/** Node's agents have it, and have it called with each request, but do not tell. */
type Agent = http.Agent & { addRequest(request: http.ClientRequest, options: object): void }

/** Owns its connections until `close`. */
export class Modem {
  private readonly modem: Docker['modem']
  private readonly agent: http.Agent
  private readonly stale = new WeakSet<Error>()
  private closed = false

  /** `ssh` is the command used for ssh addresses. Connects only when called. */
  constructor(where: Address, ssh: string) {
    this.agent = watchRequests(makeAgent(where, ssh) as Agent, this.stale)
    this.modem = makeModem(where, this.agent)
  }

  /** Resolves with the answer, whatever its status, or with the connection that was asked for. Rejects with Node's own errors. */
  dial({ method, path, headers, body, upgrade = false, signal }: Dial): Promise<http.IncomingMessage | Duplex> {
    return new Promise((resolve, reject) => {
      const options = {
        method,
        // The modem takes off the last character of a path with a question mark.
        path: `${path}?`,
        headers: { Host: 'docker', ...headers },
        // Without a body an upgrade would be sent as chunks, and the end of the chunks would get into the container's stdin.
        file: upgrade ? Buffer.alloc(0) : body,
        hijack: upgrade,
        isStream: true,
        statusCodes: ANY_STATUS,
        abortSignal: signal,
      }
      // The modem listens to a body only in a moment.
      if (body && !Buffer.isBuffer(body)) body.on('error', reject)
      this.modem.dial(options, (error, answer) =>
        error ? reject(error) : resolve(answer as http.IncomingMessage | Duplex),
      )
    })
  }

  /** Whether this error of `dial` is that of a kept connection, which the engine may have closed just as it was used again. */
  isStale(error: unknown): boolean {
    return !this.closed && error instanceof Error && this.stale.has(error)
  }

  /** Ends every connection, also those in use; what waits on them rejects. */
  close(): void {
    this.closed = true
    this.agent.destroy()
  }
}

/**
 * The modem reads DOCKER_HOST as it is made, mixes it with the address it is given, and throws at one that it does not understand:
 * it must not see it.
 */
function makeModem(where: Address, agent: http.Agent): Docker['modem'] {
  const { DOCKER_HOST } = process.env
  delete process.env.DOCKER_HOST
  try {
    const options = {
      protocol: where.protocol === 'https' ? ('https' as const) : ('http' as const),
      // For hosts the agent has the address. The modem would take it apart with url.parse, of which Node 24 warns, and reach ssh
      // by a client of its own, which checks no host key.
      socketPath: where.protocol === undefined ? where.socketPath : where.protocol,
      agent,
    }
    return new Docker(options).modem
  } finally {
    if (DOCKER_HOST !== undefined) process.env.DOCKER_HOST = DOCKER_HOST
  }
}

function makeAgent(where: Address, ssh: string): http.Agent {
  const kept = { keepAlive: true, maxFreeSockets: IDLE_CONNECTIONS, scheduling: 'lifo' } as const
  if (where.protocol === undefined) return new http.Agent(kept)
  if (where.protocol === 'ssh') {
    const agent = new http.Agent(kept)
    agent.createConnection = () => new ProcessSocket(ssh, sshArguments(where))
    return agent
  }
  const options = { ...kept, host: where.host, port: where.port, socketPath: undefined }
  if (where.protocol === 'http') return new http.Agent(options)
  return new https.Agent({
    ...options,
    ca: where.ca,
    cert: where.cert,
    key: where.key,
    rejectUnauthorized: !where.insecure,
    servername: /^[\d.:]+$/.test(where.host) ? '' : where.host,
  })
}

/** Sees each request before the modem does. Errors of kept connections are put into `stale`. */
function watchRequests(agent: Agent, stale: WeakSet<Error>): http.Agent {
  const { addRequest } = agent
  agent.addRequest = (request, options) => {
    request.on('error', (error: NodeJS.ErrnoException) => {
      if (request.reusedSocket && /ECONNRESET|EPIPE/.test(error.code ?? '')) stale.add(error)
    })
    request.on('pipe', (body: Readable) => {
      // Ahead of a body that takes its time, so that an engine can refuse it.
      request.flushHeaders()
      finished(body, { writable: false }, (error) => {
        if (error) request.destroy(error)
      })
    })
    // The modem would follow to any other host, past this agent, and nobody would catch the errors on the way.
    request.prependListener('response', ({ headers }) => {
      delete headers.location
    })
    addRequest.call(agent, request, options)
  }
  // The modem prints every request for a log that nobody reads, and an agent is large: 0.9 ms each time.
  return Object.assign(agent, { [inspect.custom]: () => 'Agent' })
}
