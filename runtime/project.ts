import { existsSync, statSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Latch, within } from './base/latch.ts'
import type { EngineAddress, ProjectConfig } from './protocol/child.ts'
import { MoorageError } from './protocol/errors.ts'
import type { Happening } from './protocol/events.ts'
import type { WorkerState } from './protocol/model.ts'
import { type ChildEvent, openChild, type WranglerChild } from './wrangler/child.ts'
import { chosenNode } from './wrangler/node.ts'

/** A reload that says nothing of its end is over after this. */
const RELOAD_LIMIT_MS = 30_000
/** What is heard of the old version's instances this long after a reload is still the reload's doing. */
const RELOAD_ECHO_MS = 3_000
/** Names of a config, in the order in which they are looked for. */
export const CONFIG_NAMES = ['wrangler.jsonc', 'wrangler.json', 'wrangler.toml']

export interface ProjectOptions {
  readonly config: string
  readonly env?: string
  readonly session: string
  readonly dist: string
  readonly node?: string
  /** A folder for the generated entry; made and removed by the project. */
  readonly files: string
  /** The session's files, for a child that outlives its session. */
  readonly left: { readonly folder: string; readonly lock: string }
  /** Where the session's Workers find each other. Without it wrangler refuses a binding to a Worker that is not there. */
  readonly registry: string
  readonly port: number
  readonly inspectorPort: number
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error'
  onNotice(text: string): void
  report(happening: Happening): void
  onFailure(error: Error): void
}

/** One config's Worker: its wrangler child, and what is known of its reloads. */
export class Project {
  readonly #options: ProjectOptions
  #child: WranglerChild | undefined
  #engine: EngineAddress | undefined
  #reading: Promise<ProjectConfig> | undefined
  #name = ''
  #reloads = 0
  #reloadedAt = Number.NEGATIVE_INFINITY
  #reloadingSince: number | undefined
  #state: WorkerState = { state: 'starting' }
  #inspectorUrl: string | undefined
  #url = ''

  constructor(options: ProjectOptions) {
    this.#options = options
  }

  /** How often the Worker was loaded anew. */
  get reloads(): number {
    return this.#reloads
  }

  /** Whether instances that go away now are being replaced by those of a new version. */
  get reloading(): boolean {
    if (this.#reloadingSince !== undefined) return Date.now() - this.#reloadingSince < RELOAD_LIMIT_MS
    return Date.now() - this.#reloadedAt < RELOAD_ECHO_MS
  }

  /** Starts the child and reads the config. Called again it gives the same promise. @throws MoorageError */
  read(): Promise<ProjectConfig> {
    this.#reading ??= this.#read()
    // Who waits for it hears of its failure, however late; it is no failure of nobody's meanwhile.
    this.#reading.catch(() => undefined)
    return this.#reading
  }

  async #read(): Promise<ProjectConfig> {
    const { env, session, dist, node, left, onNotice } = this.#options
    const child = await openChild({
      dist,
      config: configFile(this.#options.config),
      env,
      session,
      files: left,
      onInstall: onNotice,
      ...(node === undefined ? {} : { findNode: () => chosenNode(node) }),
    })
    this.#child = child
    if (this.#engine !== undefined) child.sweeps(session, this.#engine)
    child.on((event) => this.#hear(event))
    this.#name = child.project.name
    return child.project
  }

  /** The line of the developer's code that a stack of the Worker leads to, where it can be told. */
  async trace(stack: string): Promise<string | undefined> {
    return this.#child?.trace(stack)
  }

  /** The engine is found: what the session makes in it goes also where only the child is left to remove it. */
  sweeps(engine: EngineAddress): void {
    this.#engine = engine
    this.#child?.sweeps(this.#options.session, engine)
  }

  /**
   * Starts the Worker; resolves with its address when it serves requests.
   * @param base the relay's loopback server, which `token` opens.
   * @throws MoorageError
   */
  async start(base: string, token: string): Promise<string> {
    const { dist, files, port, inspectorPort, logLevel, registry } = this.#options
    if (this.#child === undefined) throw new MoorageError('worker-failed', 'The config was not read yet.')
    await mkdir(files, { recursive: true, mode: 0o700 })
    const { url } = await this.#child.start({
      entry: { base, token, workerModule: join(dist, 'worker.js'), folder: files },
      port,
      host: '127.0.0.1',
      inspectorPort,
      logLevel: logLevel === 'debug' ? 'debug' : 'log',
      vars: {},
      registry,
    })
    return url
  }

  /** Loads the Worker anew. @throws MoorageError with what is wrong with it, or where it does not start to serve in time */
  async reload(): Promise<void> {
    const child = this.#child
    if (child === undefined) throw new MoorageError('worker-failed', 'The Worker was not started yet.')
    const over = new Latch()
    const forget = child.on((event) => {
      if (event.type === 'reloaded' || event.type === 'ready') over.resolve()
      else if (event.type === 'build-failed') over.reject(new MoorageError('worker-failed', event.message))
      else if (event.type === 'ended') over.reject(event.error)
    })
    try {
      child.reload()
      const inTime = await within(
        RELOAD_LIMIT_MS,
        over.promise.then(() => true),
      )
      if (inTime !== true) throw new MoorageError('worker-failed', 'The Worker did not reload in time.')
    } finally {
      forget()
    }
  }

  /** Ends the child and removes the generated entry. */
  async close(): Promise<void> {
    await this.#reading?.catch(() => undefined)
    await this.#child?.dispose()
    await rm(this.#options.files, { recursive: true, force: true })
  }

  #hear(event: ChildEvent): void {
    const { report, onFailure } = this.#options
    switch (event.type) {
      case 'ready':
        if (this.#reloadingSince !== undefined) this.#reloadedAt = Date.now()
        this.#reloadingSince = undefined
        this.#url = event.url
        this.#inspectorUrl = event.inspectorUrl
        this.#set({ state: 'ready', url: event.url, inspectorUrl: event.inspectorUrl })
        break
      case 'reloading':
        this.#reloadingSince = Date.now()
        this.#set({ state: 'reloading' })
        break
      case 'reloaded':
        this.#reloadedAt = Date.now()
        this.#reloads += 1
        this.#reloadingSince = undefined
        this.#set({ state: 'ready', url: this.#url, inspectorUrl: this.#inspectorUrl })
        break
      case 'build-failed':
        this.#reloadingSince = undefined
        this.#set({ state: 'failed', message: event.message, serving: event.serving })
        break
      case 'config-changed':
        report({
          type: 'advice',
          text: 'The config’s containers changed. They take effect when the session is started again.',
        })
        break
      case 'log':
        if (event.from === 'worker')
          report({ type: 'worker-log', project: this.#name, level: event.level, text: event.text })
        else if (event.level === 'warn' || event.level === 'error' || this.#options.logLevel === 'debug') {
          report({ type: 'worker-log', project: this.#name, level: event.level, text: event.text })
        }
        break
      case 'ended':
        this.#set({ state: 'failed', message: event.error.message, serving: false })
        onFailure(event.error)
        break
      default:
    }
  }

  #set(state: WorkerState): void {
    if (this.#state.state === state.state && state.state === 'reloading') return
    this.#state = state
    this.#options.report({ type: 'worker', project: this.#name, worker: state })
  }
}

/**
 * The config file that a path names: itself, or the one in a folder.
 * @throws MoorageError `no-config`
 */
export function configFile(path: string): string {
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
  if (!isFolder && existsSync(path)) return path
  const found = isFolder ? CONFIG_NAMES.map((name) => join(path, name)).find((file) => existsSync(file)) : undefined
  if (found !== undefined) return found
  throw new MoorageError(
    'no-config',
    isFolder ? `There is no wrangler config in ${path}.` : `There is no file ${path}.`,
    {
      advice: [
        'Run it in the folder of a project with a wrangler.jsonc, .json or .toml, or name one: moorage dev --config path/to/wrangler.jsonc',
      ],
    },
  )
}
