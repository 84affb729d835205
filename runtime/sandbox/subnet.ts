/** Addresses of a session's network. We choose them ourselves, so that a replaced gateway keeps its address. */
import { existsSync } from 'node:fs'
import { networkInterfaces } from 'node:os'

/** Addresses in one subnet: a /22, so a thousand sandboxes. */
const PREFIX_BITS = 22
const SIZE = 2 ** (32 - PREFIX_BITS)
/** The first addresses are the engine's own, the gateway's, and some left free. */
const FIRST_SANDBOX = 16

export interface Subnet {
  readonly cidr: string
  /** The engine's end of the bridge. */
  readonly bridge: string
  readonly gateway: string
}

/** The subnets to try, in order: /22s of 10.213.0.0/16 and 10.214.0.0/16, begun at a place that differs between sessions. */
export function candidateSubnets(start: number): Subnet[] {
  const count = (2 * 65_536) / SIZE
  const base = toNumber('10.213.0.0')
  return Array.from({ length: count }, (_, i) => {
    const first = base + ((start + i) % count) * SIZE
    return { cidr: `${toText(first)}/${PREFIX_BITS}`, bridge: toText(first + 1), gateway: toText(first + 2) }
  })
}

/** Whether this machine itself has an address in a subnet; the engine does not always look. */
export function clashes(
  subnet: Subnet,
  interfaces: ReturnType<typeof networkInterfaces> = networkInterfaces(),
): boolean {
  const first = toNumber(subnet.cidr.split('/')[0] ?? '')
  return Object.values(interfaces).some((list) =>
    (list ?? []).some(({ family, address, netmask }) => {
      if (family !== 'IPv4') return false
      const mask = toNumber(netmask)
      const theirs = toNumber(address)
      const ours = ~(SIZE - 1) >>> 0
      const wider = (mask & ours) >>> 0
      return (theirs & wider) >>> 0 === (first & wider) >>> 0
    }),
  )
}

/**
 * Whether this machine is the engine's own: the bridge of a network that was just made is a device of it (it is no interface
 * with an address yet, as nothing is plugged in). Then the gateway is reached without a published port, and without the
 * proxy process that an engine puts before one.
 */
export function isLocal(networkId: string, exists: (path: string) => boolean = existsSync): boolean {
  return exists(`/sys/class/net/br-${networkId.slice(0, 12)}`)
}

/** So many networks a gateway can keep out of reach. */
const MAX_REFUSED = 256

/**
 * What no sandbox may reach, with internet or without: the engine's other networks, and the addresses of this machine where
 * it is the engine's own. As `a.b.c.d/n`, each once.
 * @param engine subnets of all the engine's networks; what is not IPv4 is passed over.
 * @param here whether the engine runs on this machine, as far as can be told.
 */
export function refusedNetworks(
  own: Subnet,
  engine: readonly (string | undefined)[],
  here: boolean,
  interfaces: ReturnType<typeof networkInterfaces> = networkInterfaces(),
): string[] {
  const networks = engine.filter((cidr) => cidr !== undefined && /^[\d.]+\/\d+$/.test(cidr) && cidr !== own.cidr)
  const addresses = Object.values(interfaces).flatMap((list) =>
    (list ?? []).filter(({ family, internal }) => family === 'IPv4' && !internal).map(({ address }) => `${address}/32`),
  )
  const all = [...networks, ...(here ? addresses : [])] as string[]
  return [...new Set(all)].slice(0, MAX_REFUSED)
}

/** Gives out a subnet's addresses for sandboxes; one given back is used again last. */
export class Addresses {
  readonly #free: string[]

  constructor(subnet: Subnet) {
    const first = toNumber(subnet.cidr.split('/')[0] ?? '')
    this.#free = Array.from({ length: SIZE - FIRST_SANDBOX - 1 }, (_, i) => toText(first + FIRST_SANDBOX + i))
  }

  /** @throws RangeError where all are in use. */
  take(): string {
    const address = this.#free.shift()
    if (address === undefined) throw new RangeError('All addresses of the session are in use.')
    return address
  }

  giveBack(address: string): void {
    this.#free.push(address)
  }
}

function toNumber(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
}

function toText(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.')
}
