/** Which ports a container listens on, from the kernel's own tables (/proc/net/tcp and tcp6; proc(5)). */

const LISTEN = '0A'
/** 127.0.0.11, where Docker's own resolver listens in each network namespace of ours. */
const RESOLVER = '0B00007F'

/** The TCP ports with a listener, ascending, each once. Lines that are none are passed over: a container may lie. */
export function listeningPorts(...tables: readonly string[]): number[] {
  const ports = new Set<number>()
  for (const line of tables.join('\n').split('\n')) {
    const [, local = '', , state] = line.trim().split(/\s+/)
    const [, address, port] = /^([0-9A-F]+):([0-9A-F]{4})$/.exec(local) ?? []
    if (state === LISTEN && port !== undefined && address !== RESOLVER) ports.add(Number.parseInt(port, 16))
  }
  return [...ports].sort((a, b) => a - b)
}

/** What to say when requests to a port are refused for so long that it is no longer the start. */
export function portAdvice(port: number, listening: readonly number[], waitedMs: number): string {
  const since = `Nothing listens on port ${port}, ${Math.round(waitedMs / 1_000)} s after the start.`
  if (listening.length === 0) return `${since} The container listens on no port yet: look at its log.`
  const ports = listening.length === 1 ? `port ${listening[0]}` : `ports ${listening.join(', ')}`
  return `${since} The container listens on ${ports}: let the app listen on ${port}, or let the Worker ask for that one (defaultPort of a Container class).`
}
