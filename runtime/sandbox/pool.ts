import type { Engine } from '../engine/engine.ts'
import { nameAt } from '../engine/leftovers.ts'
import { type HeldProgram, startHeld } from './held.ts'
import { type Labels, labelsOf } from './labels.ts'
import type { SessionNetwork } from './network.ts'

/** What any user may do in an ordinary container: listen on low ports, and ping itself. */
const SYSCTLS = { 'net.ipv4.ping_group_range': '0 2147483647', 'net.ipv4.ip_unprivileged_port_start': '0' }
/** ::1, which engines leave off where a network has no IPv6. */
const LOOPBACK6 = { 'net.ipv6.conf.lo.disable_ipv6': '0' }

/** So many are made at once in the background: more would only slow down what someone waits for. */
const AT_ONCE = 2

/** A network namespace that one container joins. */
export interface Sandbox {
  readonly id: string
  readonly address: string
  /** Resolves when it has ended, however. */
  readonly ended: Promise<void>
  /** Ends it and gives its address back. The container in it must be gone. */
  close(): Promise<void>
}

export interface PoolOptions {
  readonly engine: Engine
  readonly labels: Labels
  readonly agentImage: string
  readonly network: SessionNetwork
  /** Aborted when the session ends: what is being made is given up. */
  readonly signal?: AbortSignal
  /** Sandboxes kept ready. */
  readonly ready: number
  onProblem(error: unknown): void
}

/** Sandboxes: a few are ready, and each that is taken is made up for in the background. */
export class SandboxPool {
  readonly #options: PoolOptions
  #ready: Sandbox[] = []
  readonly #making = new Set<Promise<Sandbox>>()
  /** Until what was being made is kept, taken or closed again. */
  readonly #settling = new Set<Promise<void>>()
  #closed = false
  #loopback6 = true

  constructor(options: PoolOptions) {
    this.#options = options
  }

  /** Makes sandboxes until enough are ready. */
  fill(): void {
    while (
      !this.#closed &&
      this.#making.size < AT_ONCE &&
      this.#ready.length + this.#making.size < this.#options.ready
    ) {
      const making = this.#make()
      this.#making.add(making)
      let made = false
      const settled = making
        .then(async (sandbox) => {
          made = true
          // Taken while it was made: whoever waits for it has removed it from the set, and owns it.
          if (!this.#making.delete(making)) return
          if (this.#closed) await sandbox.close()
          else this.#keep(sandbox)
        })
        .catch((error: unknown) => {
          this.#making.delete(making)
          if (!this.#closed) this.#options.onProblem(error)
        })
        .finally(() => {
          this.#settling.delete(settled)
          if (made) this.fill()
        })
      this.#settling.add(settled)
    }
  }

  /** A sandbox for one container; the caller closes it. @throws Error after close() */
  async take(): Promise<Sandbox> {
    if (this.#closed) throw new Error('The session has ended.')
    const ready = this.#ready.shift()
    if (ready !== undefined) {
      this.fill()
      return ready
    }
    const [soon] = this.#making
    if (soon === undefined) return this.#make()
    this.#making.delete(soon)
    this.fill()
    return soon
  }

  /** Ends all that are ready or being made, and waits until they are gone. */
  async close(): Promise<void> {
    this.#closed = true
    const ready = this.#ready
    this.#ready = []
    await Promise.allSettled([...ready.map((sandbox) => sandbox.close()), ...this.#settling])
  }

  /** Keeps one ready; one that ends by itself (the engine stopped) is dropped, and made up for by the next fill(). */
  #keep(sandbox: Sandbox): void {
    this.#ready.push(sandbox)
    void sandbox.ended.then(() => {
      const at = this.#ready.indexOf(sandbox)
      if (at < 0) return
      this.#ready.splice(at, 1)
      void sandbox.close().catch(() => undefined)
    })
  }

  async #make(): Promise<Sandbox> {
    const { network } = this.#options
    const address = network.addresses.take()
    let held: HeldProgram
    try {
      held = await this.#start(address)
    } catch (error) {
      network.addresses.giveBack(address)
      throw error
    }
    return {
      id: held.id,
      address,
      ended: held.ended,
      close: async () => {
        await held.close()
        network.addresses.giveBack(address)
      },
    }
  }

  async #start(address: string): Promise<HeldProgram> {
    const { engine, labels, agentImage, network } = this.#options
    const start = (): Promise<HeldProgram> =>
      startHeld(
        engine,
        {
          name: nameAt(labels.session, address),
          Image: agentImage,
          Entrypoint: ['/moorage-agent'],
          Cmd: ['sandbox', network.subnet.gateway],
          Labels: labelsOf(labels, 'sandbox'),
          NetworkingConfig: { EndpointsConfig: { [network.id]: { IPAMConfig: { IPv4Address: address } } } },
          HostConfig: {
            AutoRemove: true,
            NetworkMode: network.id,
            CapDrop: ['ALL'],
            CapAdd: ['NET_ADMIN'],
            SecurityOpt: ['no-new-privileges'],
            Dns: [network.subnet.gateway],
            LogConfig: { Type: 'none' },
            Sysctls: this.#loopback6 ? { ...SYSCTLS, ...LOOPBACK6 } : SYSCTLS,
          },
        },
        undefined,
        this.#options.signal,
      )
    try {
      return await start()
    } catch (error) {
      if (!this.#loopback6 || this.#closed) throw error
      // A kernel without IPv6 has no such setting.
      this.#loopback6 = false
      return start()
    }
  }
}
