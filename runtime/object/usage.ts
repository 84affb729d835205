/** What a container uses and listens at, from the kernel's own words (protocol/agent.ts Fact). Pure; the words are hostile: a container may lie. */
import type { PortModel } from '../protocol/model.ts'
import type { Look } from '../protocol/relay.ts'
import { listeningPorts } from './ports.ts'

/** Where Node's inspector listens, as long as nobody says otherwise. */
const INSPECTOR_PORT = 9229

/** Ports told at most; one that listens at more has lost its way. */
const MAX_PORTS = 100

/** CPU time since the container's start in milliseconds, from cpu.stat or cpuacct.usage; undefined where it is neither. */
export function cpuMs(text: string): number | undefined {
  const micros = fieldOf(text, 'usage_usec')
  if (micros !== undefined) return micros / 1_000
  const nanos = numberOf(text.trim())
  return nanos === undefined ? undefined : nanos / 1_000_000
}

/** Memory as `docker stats` has it: without what the kernel would give back first, which are files that nobody has read lately. */
export function memoryBytes(current: string, stat: string): number | undefined {
  const all = numberOf(current.trim())
  if (all === undefined) return undefined
  // Version 1 counts those of groups inside this one as well under another name.
  const files = fieldOf(stat, 'total_inactive_file') ?? fieldOf(stat, 'inactive_file') ?? 0
  return files < all ? all - files : all
}

/** The ports of a look, ascending; undefined where the agent did not answer. */
export function portsOf({ listening, http }: Pick<Look, 'listening' | 'http'>): readonly PortModel[] | undefined {
  if (listening === '') return undefined
  return listeningPorts(listening)
    .slice(0, MAX_PORTS)
    .map((port) => ({
      port,
      protocol: http.includes(port) ? 'http' : port === INSPECTOR_PORT ? 'inspector' : 'tcp',
    }))
}

function fieldOf(text: string, name: string): number | undefined {
  const [, value] = new RegExp(`^${name} (\\d+)$`, 'm').exec(text) ?? []
  return value === undefined ? undefined : numberOf(value)
}

function numberOf(text: string): number | undefined {
  // No count of bytes or nanoseconds that is true has more digits than a double holds.
  return /^\d{1,18}$/.test(text) ? Number(text) : undefined
}
