/** The engine: the calls that Moorage makes, answers checked, errors translated. */
import type { Readable } from 'node:stream'
import type { EngineAddress } from '../protocol/child.ts'
import { MoorageError } from '../protocol/errors.ts'
import type { ContainerId } from '../protocol/model.ts'
import {
  Container,
  type ContainerInfo,
  ContainerList,
  type ContainerSummary,
  Created,
  check,
  type Exit,
  Info,
  PathStat,
  Top,
  Version,
} from './answers.ts'
import { type Attachment, attachTo } from './attachment.ts'
import { Calls } from './calls.ts'
import type { CreateOptions, UpdateOptions } from './create.ts'
import type { OutputStream } from './demultiplex.ts'
import { connectionError, problemOf } from './errors.ts'
import { type EventOptions, type Subscription, subscribe } from './events.ts'
import { EngineImages } from './images.ts'
import { type Output, readExit, readLog } from './log.ts'
import { EngineNetworks } from './networks.ts'
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

/** Options of `attach`. */
export interface AttachOptions extends CallOptions {
  /** Sends first what was written before. */
  readonly logs?: boolean
  /** False: only the output. */
  readonly stdin?: boolean
}

/** One engine, over its own kept connections. Cheap to make, also in another thread from the same address. Owned by who made it: `close`. */
export class Engine extends EngineNetworks {
  readonly address: EngineAddress
  /** What it said of itself when it was reached. */
  readonly about: Version
  /** How it was found: `DOCKER_HOST`, `Colima`, …; '' where the address was given. */
  readonly strategy: string
  readonly images: EngineImages
  private readonly transport: Transport

  private constructor(transport: Transport, about: Version, strategy: string) {
    super(new Calls(transport, speakVersion(about.apiVersion, about.minApiVersion)))
    this.address = transport.address
    this.about = about
    this.strategy = strategy
    this.transport = transport
    this.images = new EngineImages(this.calls)
  }

  /** Reaches an engine. Rejects with 'engine-lost', or 'engine-error' where the user may not use it. */
  static async connect(
    address: EngineAddress,
    options: CallOptions & { readonly ssh?: string; readonly strategy?: string } = {},
  ): Promise<Engine> {
    const { signal, ssh, strategy = '' } = options
    const transport = new Transport(address, ssh)
    const doing = 'say its version'
    try {
      const about = check(Version, await transport.json({ method: 'GET', path: '/version', doing, signal }), doing)
      return new Engine(transport, about, strategy)
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
    return this.calls.ask(Version, { method: 'GET', path: '/version', doing: 'say its version', ...options })
  }

  async info(options: CallOptions = {}): Promise<Info> {
    return this.calls.ask(Info, { method: 'GET', path: '/info', doing: 'say what it is', ...options })
  }

  /** Rejects with 'image-missing' where the image is not there, and problem 'name-conflict' where the name is taken. */
  async createContainer(options: CreateOptions, call: CallOptions = {}): Promise<ContainerId> {
    const { name, platform, ...json } = options
    const doing = `create a container of ${options.Image}`
    const query = { name, platform }
    const made = await this.calls.ask(Created, {
      method: 'POST',
      path: '/containers/create',
      query,
      json,
      doing,
      ...call,
    })
    return made.id
  }

  /** Already running is fine. */
  async start(id: ContainerId, options: CallOptions = {}): Promise<void> {
    await this.post(id, '/start', `start the container ${short(id)}`, options)
  }

  /** Sends a signal, by number or name. Rejects with problem 'not-running' where nothing runs. */
  async kill(id: ContainerId, signal: number | string = 'KILL', options: CallOptions = {}): Promise<void> {
    const query = { signal: String(signal) }
    await this.post(id, '/kill', `send ${signal} to the container ${short(id)}`, options, query)
  }

  /** SIGTERM (or the image's own), then SIGKILL after `timeoutSeconds`. Already stopped is fine. */
  async stop(id: ContainerId, options: CallOptions & { readonly timeoutSeconds?: number } = {}): Promise<void> {
    await this.post(id, '/stop', `stop the container ${short(id)}`, options, { t: options.timeoutSeconds })
  }

  /** Removes it, running or not unless `force` is false, with its unnamed volumes. Already gone, or going, is fine. */
  async remove(id: ContainerId | string, options: CallOptions & { readonly force?: boolean } = {}): Promise<void> {
    const query = { force: options.force ?? true, v: true }
    try {
      await this.calls.drop(path(id), `remove the container ${short(id)}`, { query, signal: options.signal })
    } catch (error) {
      if (problemOf(error) !== 'being-removed') throw error
    }
  }

  /**
   * Waits for the next exit. Resolves when the engine has taken the wait, so open it before `start`; the exit follows.
   * Works for a container with AutoRemove. Aborting ends the waiting only.
   */
  async wait(id: ContainerId, options: CallOptions = {}): Promise<Wait> {
    const doing = `wait for the container ${short(id)}`
    const query = { condition: 'next-exit' }
    const response = await this.calls.send({ method: 'POST', path: path(id, '/wait'), query, doing, ...options })
    const exit = readExit(response, () => this.inspect(id, options)).then(
      (ended) => {
        if (ended) return ended
        const message = `The engine at ${this.name} stopped waiting for the container ${short(id)} without saying how it ended.`
        throw new MoorageError('engine-lost', message, { detail: { problem: 'lost' } })
      },
      (error) => {
        options.signal?.throwIfAborted()
        throw connectionError(error, doing, this.name)
      },
    )
    // Who opened it may never look; that is no unhandled rejection.
    exit.catch(() => {})
    return { exit }
  }

  /** undefined where there is no such container. */
  async inspect(id: ContainerId | string, options: CallOptions = {}): Promise<ContainerInfo | undefined> {
    const doing = `inspect the container ${short(id)}`
    return this.calls.find(Container, { method: 'GET', path: path(id, '/json'), doing, ...options })
  }

  /** The commands of all its processes, as the engine's machine sees them. @throws where it does not run, or the engine cannot tell. */
  async top(id: ContainerId, options: CallOptions = {}): Promise<readonly string[]> {
    const doing = `list the processes of the container ${short(id)}`
    return this.calls.ask(Top, { method: 'GET', path: path(id, '/top'), doing, ...options })
  }

  async rename(id: ContainerId, name: string, options: CallOptions = {}): Promise<void> {
    await this.post(id, '/rename', `rename the container ${short(id)} to ${name}`, options, { name })
  }

  async update(id: ContainerId, limits: UpdateOptions, options: CallOptions = {}): Promise<void> {
    const doing = `change the limits of the container ${short(id)}`
    await this.calls.act({ method: 'POST', path: path(id, '/update'), json: limits, doing, ...options })
  }

  async pause(id: ContainerId, options: CallOptions = {}): Promise<void> {
    await this.post(id, '/pause', `pause the container ${short(id)}`, options)
  }

  async unpause(id: ContainerId, options: CallOptions = {}): Promise<void> {
    await this.post(id, '/unpause', `unpause the container ${short(id)}`, options)
  }

  /** Unpacks a tar at a folder of the container; works before its start. The tar is read to its end or destroyed. */
  async putArchive(id: ContainerId, folder: string, tar: Buffer | Readable, options: CallOptions = {}): Promise<void> {
    const doing = `copy files into the container ${short(id)}`
    const query = { path: folder }
    await this.calls.act({ method: 'PUT', path: path(id, '/archive'), query, stream: tar, doing, ...options })
  }

  /** A file or folder of a container as a tar, also of one that was never started. The stream is the caller's. */
  async getArchive(id: ContainerId, file: string, options: CallOptions = {}): Promise<Readable> {
    const doing = `copy ${file} out of the container ${short(id)}`
    return this.calls.send({ method: 'GET', path: path(id, '/archive'), query: { path: file }, doing, ...options })
  }

  /** As getArchive, with what is at the path. The tar is the caller's, to read or destroy. */
  async openPath(
    id: ContainerId,
    file: string,
    options: CallOptions = {},
  ): Promise<{ readonly stat: PathStat; readonly tar: Readable }> {
    const doing = `look at ${file} in the container ${short(id)}`
    const tar = await this.calls.send({
      method: 'GET',
      path: path(id, '/archive'),
      query: { path: file },
      doing,
      ...options,
    })
    try {
      const header = Buffer.from(String(tar.headers['x-docker-container-path-stat']), 'base64').toString()
      return { stat: check(PathStat, JSON.parse(header), doing), tar }
    } catch (error) {
      tar.destroy()
      throw error
    }
  }

  /** Attaches stdin, stdout and stderr; before the start nothing of the output is missed. The attachment is the caller's. */
  async attach(
    id: ContainerId,
    output: (stream: OutputStream, bytes: Buffer) => void,
    options: AttachOptions = {},
  ): Promise<Attachment> {
    const { stdin = true, logs, signal } = options
    const query = { stream: true, stdin, stdout: true, stderr: true, logs }
    const doing = `attach to the container ${short(id)}`
    const socket = await this.calls.upgrade({ method: 'POST', path: path(id, '/attach'), query, doing, signal })
    return attachTo(socket, output)
  }

  /** What a container wrote, in order, as the engine kept it. With `follow` until it ends. */
  async *logs(id: ContainerId, options: LogOptions = {}): AsyncGenerator<Output> {
    const { follow, tail, timestamps, signal } = options
    const since = options.since === undefined ? undefined : options.since / 1000
    const query = { stdout: true, stderr: true, follow, tail, since, timestamps }
    const doing = `read the log of the container ${short(id)}`
    const response = await this.calls.send({ method: 'GET', path: path(id, '/logs'), query, doing, signal })
    try {
      yield* readLog(response)
    } catch (error) {
      signal?.throwIfAborted()
      throw connectionError(error, doing, this.name)
    }
  }

  /** Containers with all these labels (`name` or `name=value`), also those that do not run. */
  async listContainers(labels: readonly string[], options: CallOptions = {}): Promise<ContainerSummary[]> {
    const query = { all: true, filters: { label: labels } }
    const doing = 'list containers'
    return this.calls.ask(ContainerList, { method: 'GET', path: '/containers/json', query, doing, ...options })
  }

  /** Tells of containers as things happen; opened again when it breaks, without a gap. See EventOptions. */
  events(options: EventOptions): Subscription {
    return subscribe((call) => this.calls.send(call), options)
  }

  private async post(
    id: ContainerId,
    what: string,
    doing: string,
    { signal }: CallOptions,
    query: Call['query'] = {},
  ): Promise<void> {
    await this.calls.act({ method: 'POST', path: path(id, what), query, doing, signal })
  }
}

function path(id: string, what = ''): string {
  return `/containers/${encodeURIComponent(id)}${what}`
}

function short(id: string): string {
  return /^[0-9a-f]{64}$/.test(id) ? id.slice(0, 12) : id
}
