import { Scope } from '../base/scope.ts'
import { makeSecret } from '../base/secret.ts'
import type { Engine } from '../engine/engine.ts'
import { nameAt } from '../engine/leftovers.ts'
import { MoorageError } from '../protocol/errors.ts'
import { RUNTIME_PORT } from '../protocol/gateway.ts'
import { type HeldProgram, startHeld } from './held.ts'
import { type Labels, labelsOf } from './labels.ts'
import { Addresses, candidateSubnets, clashes, isLocal, refusedNetworks, type Subnet } from './subnet.ts'

/** Where the relay dials a gateway, and the secret that opens it. */
export interface GatewayAddress {
  readonly host: string
  readonly port: number
  readonly secret: Uint8Array
}

export interface NetworkOptions {
  readonly engine: Engine
  readonly labels: Labels
  /** The image of our program. */
  readonly agentImage: string
  /** Aborted when the session ends: what is being made is given up. */
  readonly signal?: AbortSignal
  /** Tells the relay where a new gateway is; rejects where it cannot be reached. */
  connect(address: GatewayAddress): Promise<void>
  /** A gateway was lost and could not be replaced. */
  onFailure(error: Error): void
}

const REPLACE_TRIES = 5
const REPLACE_PAUSE_MS = 250

/** A session's network and the gateway that all leaves through. A lost gateway is replaced at the same address. */
export class SessionNetwork {
  readonly subnet: Subnet
  readonly id: string
  readonly addresses: Addresses
  readonly #options: NetworkOptions
  readonly #scope = new Scope()
  #gateway: HeldProgram | undefined
  #replacing: Promise<void> | undefined
  /** The last gateway that has ended. */
  #ended: HeldProgram | undefined
  #failed = false
  #empty: Promise<unknown> = Promise.resolve()

  private constructor(options: NetworkOptions, subnet: Subnet, id: string) {
    this.#options = options
    this.subnet = subnet
    this.id = id
    this.addresses = new Addresses(subnet)
  }

  /** Makes the network and its gateway. Owned by the caller: close(). */
  static async open(options: NetworkOptions): Promise<SessionNetwork> {
    const { subnet, id } = await createNetwork(options.engine, options.labels)
    const network = new SessionNetwork(options, subnet, id)
    network.#scope.own(async () => {
      await network.#empty
      // An endpoint may take the engine a while more; the session's sweep, after this, has the patience and the last word.
      await options.engine.removeNetwork(id).catch(() => undefined)
    })
    network.#scope.own(() => network.#gateway?.close())
    try {
      await network.#startGateway()
    } catch (error) {
      await network.close()
      throw error
    }
    return network
  }

  /**
   * Ends the gateway and removes the network.
   * @param empty resolves when no container is in it any more; never rejects.
   */
  async close(empty: Promise<unknown> = Promise.resolve()): Promise<void> {
    this.#empty = empty
    const closing = this.#scope.close()
    // Heard below; a failure in between is not nobody's.
    closing.catch(() => undefined)
    await Promise.allSettled([this.#replacing])
    await closing
  }

  async #startGateway(): Promise<void> {
    const { engine, labels, agentImage } = this.#options
    const secret = makeSecret()
    const direct = isLocal(this.id)
    const others = (await engine.listNetworks([])).map(({ subnet }) => subnet)
    const refused = refusedNetworks(this.subnet, others, 'socketPath' in engine.address)
    const gateway = await startHeld(
      engine,
      {
        name: nameAt(labels.session, this.subnet.gateway),
        Image: agentImage,
        Entrypoint: ['/moorage-agent'],
        Cmd: ['gateway', ...refused],
        Labels: labelsOf(labels, 'gateway'),
        ...(direct ? {} : { ExposedPorts: { [`${RUNTIME_PORT}/tcp`]: {} } }),
        NetworkingConfig: { EndpointsConfig: { [this.id]: { IPAMConfig: { IPv4Address: this.subnet.gateway } } } },
        HostConfig: {
          AutoRemove: true,
          NetworkMode: this.id,
          ...(direct ? {} : { PortBindings: { [`${RUNTIME_PORT}/tcp`]: [{ HostIp: '127.0.0.1', HostPort: '' }] } }),
          CapDrop: ['ALL'],
          CapAdd: ['NET_ADMIN', 'NET_BIND_SERVICE'],
          SecurityOpt: ['no-new-privileges'],
          ReadonlyRootfs: true,
          LogConfig: { Type: 'none' },
          Sysctls: {
            'net.ipv4.ip_forward': '1',
            'net.ipv4.conf.all.rp_filter': '0',
            'net.ipv4.conf.default.rp_filter': '0',
            'net.ipv4.conf.all.send_redirects': '0',
            'net.ipv4.conf.default.send_redirects': '0',
          },
        },
      },
      secret,
      this.#options.signal,
    )
    this.#gateway = gateway
    void gateway.ended.then(() => this.#lost(gateway))
    const at = direct ? { host: this.subnet.gateway, port: RUNTIME_PORT } : await this.#published(gateway)
    await this.#options.connect({ ...at, secret })
  }

  async #published(gateway: HeldProgram): Promise<{ host: string; port: number }> {
    const at = (await this.#options.engine.inspect(gateway.id))?.ports[`${RUNTIME_PORT}/tcp`]?.[0]
    if (at !== undefined) return at
    throw new MoorageError('engine-error', 'The engine did not publish the port of the session’s gateway.')
  }

  #lost(gateway: HeldProgram): void {
    this.#ended = gateway
    if (this.#scope.closed || this.#gateway !== gateway || this.#replacing !== undefined) return
    this.#replacing = this.#replace().finally(() => {
      this.#replacing = undefined
      // One that ended as soon as it was there.
      if (!this.#failed && this.#ended === this.#gateway) this.#lost(this.#ended as HeldProgram)
    })
  }

  async #replace(): Promise<void> {
    for (let failures = 0; !this.#scope.closed; ) {
      try {
        // The one that was lost, or one that this has started and could not connect to.
        await this.#gateway?.close()
        await this.#startGateway()
        if (this.#scope.closed) await this.#gateway?.close()
        return
      } catch (error) {
        // An engine that is away comes back, or the user ends the session.
        if (!(error instanceof MoorageError && error.code === 'engine-lost')) failures += 1
        if (failures >= REPLACE_TRIES) {
          this.#failed = true
          this.#options.onFailure(error instanceof Error ? error : new Error(String(error)))
          return
        }
        await new Promise((resolve) => setTimeout(resolve, REPLACE_PAUSE_MS))
      }
    }
  }
}

async function createNetwork(engine: Engine, labels: Labels): Promise<{ subnet: Subnet; id: string }> {
  const start = Number.parseInt(labels.session.slice(0, 4), 36)
  let failure: unknown
  for (const subnet of candidateSubnets(Number.isNaN(start) ? 0 : start)) {
    if (clashes(subnet)) continue
    try {
      const { id } = await engine.createNetwork(`moorage-${labels.session}`, {
        labels: labelsOf(labels, 'network'),
        subnet,
      })
      return { subnet, id }
    } catch (error) {
      failure = error
      if (!(error instanceof Error) || !/overlap|Pool/i.test(error.message)) throw error
    }
  }
  throw new MoorageError('engine-error', 'Every network address that Moorage would use is taken.', {
    advice: ['Remove networks that nothing uses: docker network prune'],
    cause: failure,
  })
}
