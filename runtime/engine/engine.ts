/** The engine: the calls that Moorage makes, answers checked, errors translated. */
import type { Readable } from 'node:stream'
import type { z } from 'zod'
import type { EngineAddress } from '../protocol/child.ts'
import { MoorageError } from '../protocol/errors.ts'
import type { ContainerId } from '../protocol/model.ts'
import { check, Container, type ContainerInfo, ContainerList, type ContainerSummary, Created, Exit, Info, Network, type NetworkInfo, Version, VolumeList } from './answers.ts'
import { type Attachment, attachTo } from './attachment.ts'
import type { CreateOptions, UpdateOptions } from './create.ts'
import { Demultiplexer, type OutputStream } from './demultiplex.ts'
import { connectionError, isGone, problemOf } from './errors.ts'
import { type EventOptions, type Subscription, subscribe } from './events.ts'
import { EngineImages } from './images.ts'
import { speakVersion } from './speak.ts'
import { type Call, type CallOptions, Transport } from './transport.ts'

/** A wait that the engine knows of. */
export interface Wait {
  /** How the container ended. Rejects with 'engine-lost' where it cannot be known. */
  readonly exit: Promise<Exit>
}

/** Options of `logs`. Times are milliseconds since the epoch. */
export interface LogOptions extends CallOptions {
  readonly follow?: boolean
  /** Only the last lines; undefined: all. */
  readonly tail?: number
  readonly since?: number
  readonly timestamps?: boolean
}

/** One engine, over its own kept connections. Cheap to make, also in another thread from the same address. Owned by who made it: `close`. */
export class Engine {
  readonly address: EngineAddress
  /** What it said of itself when it was reached. */
  readonly about: Version
  /** How it was found: `DOCKER_HOST`, `Colima`, …; '' where the address was given. */
  readonly strategy: string
  readonly images: EngineImages
  private readonly transport: Transport
  private readonly prefix: string

  private constructor(transport: Transport, about: Version, strategy: string) {
    this.address = transport.address
    this.about = about
    this.strategy = strategy
    this.transport = transport
    this.prefix = `/v${speakVersion(about.apiVersion, about.minApiVersion)}`
    this.images = new EngineImages({ send: (call) => this.send(call), json: (call) => this.json(call), name: transport.name })
  }

  /** Reaches an engine. Rejects with 'engine-lost', or 'engine-error' where the user may not use it. */
  static async connect(address: EngineAddress, options: CallOptions & { readonly ssh?: string; readonly strategy?: string } = {}): Promise<Engine> {
    const transport = new Transport(address, options.ssh)
    try {
      const answer = await transport.json({ method: 'GET', path: '/version', doing: 'say its version', signal: options.signal })
      return new Engine(transport, check(Version, answer, 'say its version'), options.strategy ?? '')
    } catch (error) {
      transport.close()
      throw error
    }
  }

  /** The address for people. */
  get name(): string {
    return this.transport.name
  }

  /** Ends every connection; calls and streams that are open reject or end. */
  close(): void {
    this.transport.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close()
  }

  async version(options: CallOptions = {}): Promise<Version> {
    return this.ask(Version, { method: 'GET', path: '/version', doing: 'say its version', ...options })
  }

  async info(options: CallOptions = {}): Promise<Info> {
    return this.ask(Info, { method: 'GET', path: '/info', doing: 'say what it is', ...options })
  }

  // Containers.

  /** Rejects with 'image-missing' where the image is not there, and problem 'name-conflict' where the name is taken. */
  async createContainer(options: CreateOptions, call: CallOptions = {}): Promise<ContainerId> {
    const { name, platform, ...body } = options
    const doing = `create a container of ${options.Image}`
    // The platform parameter came with API 1.41.
    return (await this.ask(Created, { method: 'POST', path: '/containers/create', query: { name, platform }, json: body, doing, ...call })).id
  }

  /** Already running is fine. */
  async start(id: ContainerId, options: CallOptions = {}): Promise<void> {
    await this.act(id, 'POST', '/start', `start the container ${short(id)}`, options)
  }

  /** Sends a signal, by number or name. Rejects with problem 'not-running' where nothing runs. */
  async kill(id: ContainerId, signal: number | string = 'KILL', options: CallOptions = {}): Promise<void> {
    await this.act(id, 'POST', '/kill', `send ${signal} to the container ${short(id)}`, options, { signal: String(signal) })
  }

  /** SIGTERM (or the image's own), then SIGKILL after `timeoutSeconds`. Already stopped is fine. */
  async stop(id: ContainerId, options: CallOptions & { readonly timeoutSeconds?: number } = {}): Promise<void> {
    await this.act(id, 'POST', '/stop', `stop the container ${short(id)}`, options, { t: options.timeoutSeconds })
  }

  /** Removes it, running or not, with its unnamed volumes. Already gone, or going, is fine. */
  async remove(id: ContainerId | string, options: CallOptions & { readonly force?: boolean } = {}): Promise<void> {
    try {
      await this.act(id, 'DELETE', '', `remove the container ${short(id)}`, options, { force: options.force ?? true, v: true })
    } catch (error) {
      if (!isGone(error) && problemOf(error) !== 'being-removed') throw error
    }
  }

  /**
   * Waits for the next exit. Resolves when the engine has taken the wait, so open it before `start`; the exit follows.
   * Works for a container with AutoRemove. Aborting ends the waiting only.
   */
  async wait(id: ContainerId, options: CallOptions = {}): Promise<Wait> {
    const doing = `wait for the container ${short(id)}`
    const response = await this.send({ method: 'POST', path: `/containers/${id}/wait`, query: { condition: 'next-exit' }, doing, ...options })
    const exit = this.exitOf(id, response, doing, options.signal)
    // Who opened it may never look; that is no unhandled rejection.
    exit.catch(() => {})
    return { exit }
  }

  /** undefined where there is no such container. */
  async inspect(id: ContainerId | string, options: CallOptions = {}): Promise<ContainerInfo | undefined> {
    try {
      return await this.ask(Container, { method: 'GET', path: `/containers/${encodeURIComponent(id)}/json`, doing: `inspect the container ${short(id)}`, ...options })
    } catch (error) {
      if (isGone(error)) return undefined
      throw error
    }
  }

  async rename(id: ContainerId, name: string, options: CallOptions = {}): Promise<void> {
    await this.act(id, 'POST', '/rename', `rename the container ${short(id)} to ${name}`, options, { name })
  }

  async update(id: ContainerId, limits: UpdateOptions, options: CallOptions = {}): Promise<void> {
    await this.transport.text(this.versioned({ method: 'POST', path: `/containers/${id}/update`, json: limits, doing: `change the limits of the container ${short(id)}`, ...options }))
  }

  async pause(id: ContainerId, options: CallOptions = {}): Promise<void> {
    await this.act(id, 'POST', '/pause', `pause the container ${short(id)}`, options)
  }

  async unpause(id: ContainerId, options: CallOptions = {}): Promise<void> {
    await this.act(id, 'POST', '/unpause', `unpause the container ${short(id)}`, options)
  }

  /** Unpacks a tar at a folder of the container; works before its start. The tar is read to its end or destroyed. */
  async putArchive(id: ContainerId, folder: string, tar: Buffer | Readable, options: CallOptions = {}): Promise<void> {
    const doing = `copy files into the container ${short(id)}`
    await this.transport.text(this.versioned({ method: 'PUT', path: `/containers/${id}/archive`, query: { path: folder }, stream: tar, doing, ...options }))
  }

  /** Attaches stdin, stdout and stderr; before the start nothing of the output is missed. `logs` sends first what was written before. The attachment is the caller's. */
  async attach(id: ContainerId, output: (stream: OutputStream, bytes: Buffer) => void, options: CallOptions & { readonly logs?: boolean; readonly stdin?: boolean } = {}): Promise<Attachment> {
    const query = { stream: true, stdin: options.stdin ?? true, stdout: true, stderr: true, logs: options.logs }
    const doing = `attach to the container ${short(id)}`
    return attachTo(await this.transport.upgrade(this.versioned({ method: 'POST', path: `/containers/${id}/attach`, query, doing, signal: options.signal })), output)
  }

  /** What a container wrote, in order, as the engine kept it. With `follow` until it ends. */
  async *logs(id: ContainerId, options: LogOptions = {}): AsyncGenerator<{ readonly stream: OutputStream; readonly bytes: Buffer }> {
    const doing = `read the log of the container ${short(id)}`
    const query = { stdout: true, stderr: true, follow: options.follow, tail: options.tail, since: options.since === undefined ? undefined : options.since / 1000, timestamps: options.timestamps }
    const response = await this.send({ method: 'GET', path: `/containers/${id}/logs`, query, doing, signal: options.signal })
    let ready: { stream: OutputStream; bytes: Buffer }[] = []
    const frames = new Demultiplexer((stream, bytes) => ready.push({ stream, bytes }))
    try {
      for await (const chunk of response) {
        frames.push(chunk as Buffer)
        yield* ready
        ready = []
      }
    } catch (error) {
      options.signal?.throwIfAborted()
      throw connectionError(error, doing, this.name)
    }
  }

  /** Containers with all these labels (`name` or `name=value`), also those that do not run. */
  async listContainers(labels: readonly string[], options: CallOptions = {}): Promise<ContainerSummary[]> {
    return this.ask(ContainerList, { method: 'GET', path: '/containers/json', query: { all: true, filters: { label: labels } }, doing: 'list containers', ...options })
  }

  /** Tells of containers as things happen; opened again when it breaks, without a gap. See EventOptions. */
  events(options: EventOptions): Subscription {
    return subscribe((call) => this.send(call), options)
  }

  // Networks and volumes.

  async createNetwork(name: string, options: { readonly labels?: Readonly<Record<string, string>>; readonly internal?: boolean; readonly driver?: string; readonly driverOptions?: Readonly<Record<string, string>>; readonly subnet?: { readonly cidr: string; readonly bridge: string } } & CallOptions = {}): Promise<NetworkInfo> {
    const { labels: Labels = {}, internal: Internal = false, driver: Driver = 'bridge', driverOptions: Options = {} } = options
    const doing = `create the network ${name}`
    const IPAM = options.subnet === undefined ? undefined : { Config: [{ Subnet: options.subnet.cidr, Gateway: options.subnet.bridge }] }
    const json = { Name: name, CheckDuplicate: true, Driver, Internal, Labels, Options, IPAM }
    await this.json({ method: 'POST', path: '/networks/create', json, doing, signal: options.signal })
    return this.ask(Network, { method: 'GET', path: `/networks/${encodeURIComponent(name)}`, doing, signal: options.signal })
  }

  /** undefined where there is none. */
  async inspectNetwork(name: string, options: CallOptions = {}): Promise<NetworkInfo | undefined> {
    try {
      return await this.ask(Network, { method: 'GET', path: `/networks/${encodeURIComponent(name)}`, doing: `inspect the network ${name}`, ...options })
    } catch (error) {
      if (isGone(error)) return undefined
      throw error
    }
  }

  /** Already gone is fine. Rejects with problem 'in-use' while a container is in it. */
  async removeNetwork(name: string, options: CallOptions = {}): Promise<void> {
    await this.drop(`/networks/${encodeURIComponent(name)}`, `remove the network ${name}`, options)
  }

  async listNetworks(labels: readonly string[], options: CallOptions = {}): Promise<NetworkInfo[]> {
    return this.ask(Network.array(), { method: 'GET', path: '/networks', query: { filters: { label: labels } }, doing: 'list networks', ...options })
  }

  async listVolumes(labels: readonly string[], options: CallOptions = {}): Promise<{ readonly name: string; readonly labels: Readonly<Record<string, string>> }[]> {
    return this.ask(VolumeList, { method: 'GET', path: '/volumes', query: { filters: { label: labels } }, doing: 'list volumes', ...options })
  }

  /** Already gone is fine. */
  async removeVolume(name: string, options: CallOptions = {}): Promise<void> {
    await this.drop(`/volumes/${encodeURIComponent(name)}`, `remove the volume ${name}`, options)
  }

  private async exitOf(id: ContainerId, response: Readable, doing: string, signal: AbortSignal | undefined): Promise<Exit> {
    try {
      const chunks: Buffer[] = []
      for await (const chunk of response) chunks.push(chunk as Buffer)
      const text = Buffer.concat(chunks).toString()
      if (text) return check(Exit, JSON.parse(text), doing)
    } catch (error) {
      signal?.throwIfAborted()
      if (!(error instanceof SyntaxError)) throw connectionError(error, doing, this.name)
    }
    // The engine went away in the middle. A container that is still known has its code.
    const now = await this.inspect(id, { signal })
    if (now && !now.running) return { exitCode: now.exitCode, error: now.error || undefined }
    throw new MoorageError('engine-lost', `The engine at ${this.name} stopped waiting for the container ${short(id)} without saying how it ended.`, { detail: { problem: 'lost' } })
  }

  private async act(id: string, method: 'POST' | 'DELETE', path: string, doing: string, options: CallOptions, query?: Call['query']): Promise<void> {
    await this.transport.text(this.versioned({ method, path: `/containers/${encodeURIComponent(id)}${path}`, query: query ?? {}, doing, signal: options.signal }))
  }

  private async drop(path: string, doing: string, options: CallOptions): Promise<void> {
    try {
      await this.transport.text(this.versioned({ method: 'DELETE', path, doing, signal: options.signal }))
    } catch (error) {
      if (!isGone(error)) throw error
    }
  }

  private async ask<T extends z.ZodType>(schema: T, call: Call): Promise<z.output<T>> {
    return check(schema, await this.json(call), call.doing)
  }

  private json(call: Call): Promise<unknown> {
    return this.transport.json(this.versioned(call))
  }

  private send(call: Call): Promise<Readable & { headers: Record<string, unknown> }> {
    return this.transport.send(this.versioned(call))
  }

  private versioned(call: Call): Call {
    return { ...call, path: this.prefix + call.path }
  }
}

function short(id: string): string {
  return /^[0-9a-f]{64}$/.test(id) ? id.slice(0, 12) : id
}
