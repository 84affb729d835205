/** Where an engine is: a plain value that can cross to a thread or a child process. */
import { z } from 'zod'
import type { EngineAddress } from '../protocol/child.ts'

const Tls = {
  ca: z.string().optional(),
  cert: z.string().optional(),
  key: z.string().optional(),
  insecure: z.boolean().optional(),
}

const Address = z.union([
  z.object({ protocol: z.literal('http'), host: z.string(), port: z.number().int() }),
  z.object({ protocol: z.literal('https'), host: z.string(), port: z.number().int(), ...Tls }),
  z.object({
    protocol: z.literal('ssh'),
    host: z.string(),
    port: z.number().int().optional(),
    username: z.string().optional(),
    /** The engine's socket on the far side, where it is not the default. */
    socketPath: z.string().optional(),
  }),
  z.object({ protocol: z.undefined().optional(), socketPath: z.string() }),
])

/** The forms an EngineAddress has: a unix socket or Windows pipe, TCP, TCP with TLS (PEM texts), or SSH. */
export type Address = z.infer<typeof Address>

/** PEM texts for an https address. `insecure` accepts any certificate of the engine. */
export interface TlsMaterial {
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
  readonly insecure?: boolean
}

/** Validates an address that came from elsewhere. Throws where it is none. */
export function readAddress(address: EngineAddress): Address {
  return Address.parse(address)
}

/**
 * Reads what DOCKER_HOST or a docker context names: `unix:///path`, `npipe:////./pipe/name`, `tcp://host:port`,
 * `http(s)://host:port`, `ssh://user@host:port/socket`, or only `host:port`. With `tls`, tcp means https.
 * Throws an Error with a sentence where it names nothing.
 */
export function parseHost(host: string, tls?: TlsMaterial): Address {
  if (host.startsWith('unix://')) return { socketPath: host.slice('unix://'.length) || '/var/run/docker.sock' }
  if (host.startsWith('npipe://')) return { socketPath: host.slice('npipe://'.length) || '//./pipe/docker_engine' }
  if (host.startsWith('/')) return { socketPath: host }
  let url: URL
  try {
    url = new URL(host.includes('://') ? host : `tcp://${host}`)
  } catch {
    throw new Error(
      `"${host}" is not an address; expected something like unix:///var/run/docker.sock or tcp://host:2375`,
    )
  }
  const name = url.hostname.replace(/^\[|\]$/g, '')
  if (!name) throw new Error(`"${host}" names no host`)
  const port = url.port ? Number(url.port) : undefined
  if (url.protocol === 'ssh:') {
    return {
      protocol: 'ssh',
      host: name,
      ...(port === undefined ? {} : { port }),
      ...(url.username ? { username: decodeURIComponent(url.username) } : {}),
      ...(url.pathname.length > 1 ? { socketPath: url.pathname } : {}),
    }
  }
  if (url.protocol === 'https:' || (url.protocol === 'tcp:' && tls)) {
    return { protocol: 'https', host: name, port: port ?? 2376, ...tls }
  }
  if (url.protocol === 'http:' || url.protocol === 'tcp:') return { protocol: 'http', host: name, port: port ?? 2375 }
  throw new Error(`"${url.protocol}//" is not a way to reach an engine; unix, npipe, tcp, http, https and ssh are`)
}

/** An address for people, without secrets. */
export function sayAddress(address: Address): string {
  if (address.protocol === undefined) return address.socketPath
  if (address.protocol === 'ssh') {
    return `ssh://${address.username ? `${address.username}@` : ''}${address.host}${address.port ? `:${address.port}` : ''}`
  }
  return `${address.protocol === 'https' ? 'tcp (TLS)' : 'tcp'}://${address.host}:${address.port}`
}
