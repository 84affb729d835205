/** Addresses of a session's network. We choose them ourselves, so that a replaced gateway keeps its address. */
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
 * Whether this machine is the engine's own: the bridge of a network that was just made is an interface of it. Then the
 * gateway is reached without a published port, and without the proxy process that an engine puts before one.
 */
export function isLocal(
  subnet: Subnet,
  interfaces: ReturnType<typeof networkInterfaces> = networkInterfaces(),
): boolean {
  return Object.values(interfaces).some((list) => (list ?? []).some(({ address }) => address === subnet.bridge))
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
