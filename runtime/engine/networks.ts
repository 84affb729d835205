/** The engine's networks and volumes. */
import { Network, type NetworkInfo, VolumeList } from './answers.ts'
import type { Calls } from './calls.ts'
import { problemOf } from './errors.ts'
import type { CallOptions } from './transport.ts'

export interface NetworkOptions extends CallOptions {
  readonly labels?: Readonly<Record<string, string>>
  /** No way out of it. */
  readonly internal?: boolean
  /** `bridge` when left out. */
  readonly driver?: string
  readonly driverOptions?: Readonly<Record<string, string>>
  /** undefined: the engine chooses one. */
  readonly subnet?: { readonly cidr: string; readonly bridge: string }
}

/** The part of Engine that is not about containers and images. */
export class EngineNetworks {
  protected readonly calls: Calls

  constructor(calls: Calls) {
    this.calls = calls
  }

  async createNetwork(name: string, options: NetworkOptions = {}): Promise<NetworkInfo> {
    const { labels = {}, internal = false, driver = 'bridge', driverOptions = {}, subnet, signal } = options
    const doing = `create the network ${name}`
    const json = {
      Name: name,
      CheckDuplicate: true,
      Driver: driver,
      Internal: internal,
      Labels: labels,
      Options: driverOptions,
      ...(subnet ? { IPAM: { Config: [{ Subnet: subnet.cidr, Gateway: subnet.bridge }] } } : {}),
    }
    await this.calls.act({ method: 'POST', path: '/networks/create', json, doing, signal })
    return this.calls.ask(Network, { method: 'GET', path: networkPath(name), doing, signal })
  }

  /** By name or id; undefined where there is none. */
  async inspectNetwork(name: string, options: CallOptions = {}): Promise<NetworkInfo | undefined> {
    const doing = `inspect the network ${name}`
    return this.calls.find(Network, { method: 'GET', path: networkPath(name), doing, ...options })
  }

  /** Already gone is fine. Rejects with problem 'in-use' while a container is in it. */
  async removeNetwork(name: string, options: CallOptions = {}): Promise<void> {
    await this.calls.drop(networkPath(name), `remove the network ${name}`, options)
  }

  /** Takes a container out of a network by its name, also one that is gone and whose end of it stayed. Not there is fine. */
  async disconnect(network: string, container: string, options: CallOptions = {}): Promise<void> {
    const json = { Container: container, Force: true }
    const doing = `take ${container} out of the network ${network}`
    try {
      await this.calls.act({ method: 'POST', path: `${networkPath(network)}/disconnect`, json, doing, ...options })
    } catch (error) {
      if (problemOf(error) === undefined || problemOf(error) === 'lost') throw error
    }
  }

  /** Networks with all these labels (`name` or `name=value`). */
  async listNetworks(labels: readonly string[], options: CallOptions = {}): Promise<NetworkInfo[]> {
    const query = { filters: { label: labels } }
    return this.calls.ask(Network.array(), {
      method: 'GET',
      path: '/networks',
      query,
      doing: 'list networks',
      ...options,
    })
  }

  async listVolumes(labels: readonly string[], options: CallOptions = {}): Promise<VolumeList> {
    const query = { filters: { label: labels } }
    return this.calls.ask(VolumeList, { method: 'GET', path: '/volumes', query, doing: 'list volumes', ...options })
  }

  /** Already gone is fine. */
  async removeVolume(name: string, options: CallOptions = {}): Promise<void> {
    await this.calls.drop(`/volumes/${encodeURIComponent(name)}`, `remove the volume ${name}`, options)
  }
}

function networkPath(name: string): string {
  return `/networks/${encodeURIComponent(name)}`
}
