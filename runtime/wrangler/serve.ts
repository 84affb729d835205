/** One project's Worker in wrangler's dev server, kept up: through failed builds, reloads and a workerd that dies. */
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Latch } from '../base/latch.ts'
import type { FromChild, ProjectConfig, ToChild } from '../protocol/child.ts'
import { MoorageError } from '../protocol/errors.ts'
import { Blame } from './blame.ts'
import { platformSettings, type WranglerConfig } from './config.ts'
import { bindingsOf, entryFile, entryText } from './entry.ts'
import { hearParts } from './events.ts'
import { checkExported, ExportScan, type Exports } from './exports.ts'
import { fileChanged } from './file-changed.ts'
import { isAtLeast, type PartEvent, type StartedWorker, type Wrangler, type WranglerProblem } from './found.ts'
import { logOf, type WorkerdLog } from './log.ts'
import { checkPort, describe, doesNotStart, failedMessage, isAddressInUse, isOfRuntime, portInUse } from './problems.ts'

type Start = Extract<ToChild, { type: 'start' }>

/** The first version that emits an event for a rebuild that failed. */
const TELLS_FAILED_BUILDS = '4.110.0'

export interface ServeOptions {
  readonly wrangler: Wrangler
  readonly wranglerFolder: string
  readonly config: WranglerConfig
  readonly project: ProjectConfig
  readonly env: string | undefined
  readonly start: Start
  readonly tell: (message: FromChild) => void
  /** wrangler has read a changed config. */
  readonly configRead: () => void
}

/** What a build or start came to. */
type Attempt = { readonly worker: StartedWorker } | { readonly failure: string }

/** How long wrangler may take to say what is wrong with the Worker after workerd has ended. */
const STUCK_MS = 5_000

/** Stands for an account where none is configured; nothing is asked of it. */
const LOCAL_ACCOUNT = '0'.repeat(32)

function hasReference(project: ProjectConfig): boolean {
  return project.containers.some(({ image, images }) =>
    [image, ...Object.values(images)].some((one) => 'reference' in one),
  )
}

/** Serves until disposed. Owned by the child's main. */
export class Server {
  readonly #options: ServeOptions
  readonly #entry: string
  readonly #blame: Blame
  #scan: ExportScan | undefined
  #worker: StartedWorker | undefined
  #port: number
  #inspectorPort: number
  #entryWritten = ''
  #serving = false
  /** wrangler's own event of the last good load. */
  #loaded: unknown
  #reloadingSince: number | undefined
  #stuck = new Latch<never>()
  #again = new Latch()
  #reloads = 0
  #disposed = false

  constructor(options: ServeOptions) {
    this.#options = options
    this.#port = options.start.port
    this.#inspectorPort = options.start.inspectorPort
    const { project, start } = options
    this.#entry = entryFile(start.entry.folder, project.name)
    this.#blame = new Blame({ ...project, entry: this.#entry, workerModule: start.entry.workerModule })
  }

  /**
   * Starts, and tells `ready` as soon as the Worker answers: where its first build fails, after the fix.
   * @throws MoorageError `class-not-exported`, `port-in-use` or `worker-failed`.
   */
  async open(): Promise<void> {
    await checkPort(this.#port, this.#options.start.host)
    await checkPort(this.#inspectorPort, '127.0.0.1', '--inspector-port')
    for (;;) {
      const attempt = await this.#attempt()
      if (this.#disposed) return
      if ('worker' in attempt) {
        await this.#up(attempt.worker)
        return
      }
      this.#options.tell({ type: 'build-failed', message: attempt.failure, serving: false })
      await this.#changed()
      if (this.#disposed) return
    }
  }

  /**
   * workerd is gone: the same again on the same ports. One that ends while it is started, and of which wrangler says nothing
   * more, will never start: open() rejects then.
   */
  async lost(how: string): Promise<void> {
    if (this.#disposed) return
    if (!this.#serving) {
      const stuck = this.#stuck
      setTimeout(() => stuck.reject(doesNotStart(how)), STUCK_MS)
      return
    }
    this.#serving = false
    const text = `workerd ended unexpectedly (${how}). It is started again.`
    this.#options.tell({ type: 'log', level: 'warn', from: 'wrangler', text })
    this.#options.tell({ type: 'reloading' })
    await this.#drop()
    await this.open()
  }

  /** Loads the Worker anew; where its last start failed, tries that again. What comes of it is told as ever. */
  async reload(): Promise<void> {
    if (!this.#serving) {
      this.#again.resolve()
      return
    }
    // wrangler watches the entry, which is ours: another text of it is a build, and a build is a reload.
    this.#reloads += 1
    await this.#writeEntry(await this.#exports())
  }

  /** The line of the developer's code that a stack of the Worker leads to, where that can be told. */
  trace(stack: string): Promise<string | undefined> {
    return this.#blame.source(stack)
  }

  async dispose(): Promise<void> {
    this.#disposed = true
    await Promise.allSettled([this.#drop(), this.#scan?.dispose()])
  }

  async #drop(): Promise<void> {
    const worker = this.#worker
    this.#worker = undefined
    await worker?.dispose().catch(() => {})
  }

  async #up(worker: StartedWorker): Promise<void> {
    const [url, inspectorUrl] = await Promise.all([worker.url, worker.inspectorUrl])
    this.#port = Number(url.port)
    if (inspectorUrl) this.#inspectorPort = Number(inspectorUrl.port)
    this.#serving = true
    this.#options.tell({ type: 'ready', url: url.href, inspectorUrl: inspectorUrl?.href })
    void this.#refreshEntry()
  }

  /** One build and start. A failure of the developer's code is a value; what only another setting can cure is thrown. */
  async #attempt(): Promise<Attempt> {
    const { wrangler, project, env, start, config } = this.#options
    await this.#writeEntry(await this.#exports())
    // wrangler asks whose registry an image reference belongs to, although it is not to run containers, and wants a login.
    if (config.account_id === undefined && hasReference(project)) process.env.CLOUDFLARE_ACCOUNT_ID ??= LOCAL_ACCOUNT
    let worker: StartedWorker | undefined
    try {
      worker = await wrangler.unstable_startWorker({
        config: project.config,
        ...(env !== undefined && { env }),
        entrypoint: this.#entry,
        bindings: bindingsOf(start.vars, start.entry.base),
        build: { moduleRoot: config.base_dir ?? dirname(project.main), ...(config.no_bundle && { bundle: true }) },
        dev: {
          enableContainers: false,
          server: { hostname: start.host, port: this.#port },
          inspector: { port: this.#inspectorPort },
          watch: true,
          logLevel: start.logLevel,
          structuredLogsHandler: (log: WorkerdLog) => this.#options.tell(logOf(log)),
          ...(start.registry !== undefined && { registry: start.registry }),
        },
      })
      this.#worker = worker
      this.#stuck = new Latch<never>()
      await Promise.race([this.#firstBuild(worker), this.#stuck.promise])
      return { worker }
    } catch (error) {
      this.#worker = undefined
      // The bundle, which the error may lead into, goes with the worker.
      const failure = await this.#blame.inWords(error)
      await worker?.dispose().catch(() => {})
      if (isAddressInUse(error)) throw portInUse(this.#port)
      if (error instanceof MoorageError) throw error
      return { failure }
    }
  }

  /** `ready` alone can lie: whatever comes first of a good load, a failed build and an error counts. */
  async #firstBuild(worker: StartedWorker): Promise<void> {
    const { raw } = worker
    raw.once('reloadComplete', (event: unknown) => {
      this.#loaded = event
    })
    hearParts(raw, (event) => this.#dispatched(event))
    await new Promise<void>((resolve, reject) => {
      worker.raw.once('reloadComplete', () => resolve())
      worker.raw.once('buildFailed', (problem: WranglerProblem) => reject(problem.cause ?? problem))
      worker.raw.once('error', (problem: WranglerProblem) => reject(problem.cause ?? problem))
      worker.ready.catch(reject)
    })
    await worker.ready
    worker.raw.on('reloadComplete', (event: unknown) => this.#reloaded(event))
    worker.raw.on('buildFailed', (problem: WranglerProblem) => this.#failed(problem, true))
    worker.raw.on('error', (problem: WranglerProblem) => this.#failed(problem, !isOfRuntime(problem)))
  }

  /** What wrangler says to itself, which its outer events leave out: that a build begins, that the config was read again. */
  #dispatched({ type, bundle }: PartEvent): void {
    if (type === 'bundleComplete') this.#blame.bundle = bundle
    if (!this.#serving) return
    if (type === 'bundleStart' && this.#reloadingSince === undefined) {
      this.#reloadingSince = Date.now()
      this.#options.tell({ type: 'reloading' })
      if (!isAtLeast(this.#options.project.wranglerVersion, TELLS_FAILED_BUILDS)) void this.#buildToo()
    }
    if (type === 'configUpdate') this.#options.configRead()
  }

  /** The same module is built here, to hear of a failure that this wrangler keeps to itself. */
  async #buildToo(): Promise<void> {
    await this.#exports()
    const failure = this.#scan?.failure
    if (failure) this.#failed({ cause: failure }, true)
  }

  #reloaded(event: unknown): void {
    this.#loaded = event
    const since = this.#reloadingSince
    this.#reloadingSince = undefined
    this.#options.tell({ type: 'reloaded', tookMs: since === undefined ? 0 : Date.now() - since })
    void this.#refreshEntry()
  }

  #failed(problem: WranglerProblem, serving: boolean): void {
    if (this.#disposed || !this.#serving) return
    this.#reloadingSince = undefined
    this.#serving = serving
    // wrangler holds requests back from the start of a build, and after a failed one until the next that succeeds.
    if (serving) this.#worker?.raw.proxy?.onReloadComplete?.(this.#loaded)
    void this.#afterFailure(problem, serving).catch((error: unknown) => this.#options.tell(failedMessage(error)))
  }

  async #afterFailure(problem: WranglerProblem, serving: boolean): Promise<void> {
    const message = await this.#blame.inWords(problem.cause ?? problem)
    // What broke is what a change is measured by: mended at once, it may be the same again as the last good one.
    if (!serving) await this.#exports()
    if (this.#disposed) return
    this.#options.tell({ type: 'build-failed', message, serving })
    if (serving) return
    // The new code broke while it was loaded, and the old one is gone: start anew with the next change.
    await this.#drop()
    await this.#changed()
    if (!this.#disposed) await this.open()
  }

  /** The main module may export other names now. A changed entry is one more reload, which wrangler does by itself. */
  async #refreshEntry(): Promise<void> {
    const exports = await this.#exports()
    if (exports)
      await this.#writeEntry(exports).catch((error: unknown) =>
        this.#options.tell({ type: 'build-failed', message: describe(error), serving: true }),
      )
  }

  async #exports(): Promise<Exports> {
    const { project, wranglerFolder } = this.#options
    this.#scan ??= await ExportScan.open(project.main, dirname(project.config), wranglerFolder)
    return this.#scan.read()
  }

  /** Waits until a file of the Worker or the config changes, or somebody asks for another try. */
  async #changed(): Promise<void> {
    const scan = this.#scan
    const { config } = this.#options.project
    const over = new AbortController()
    this.#again = new Latch()
    await Promise.race([scan?.changed(), fileChanged(config, over.signal), this.#again.promise])
    over.abort()
    await scan?.dispose()
    this.#scan = undefined
  }

  async #writeEntry(exports: Exports): Promise<void> {
    const { project, start } = this.#options
    const classes = project.containers.map(({ className }) => className)
    if (exports) checkExported(classes, exports, project.main)
    const text = `${entryText({
      main: project.main,
      workerModule: start.entry.workerModule,
      classes,
      hasDefault: exports?.has('default') ?? true,
      base: start.entry.base,
      token: start.entry.token,
      ...platformSettings(project),
    })}// ${this.#reloads}\n`
    if (text === this.#entryWritten) return
    await mkdir(start.entry.folder, { recursive: true, mode: 0o700 })
    await writeFile(this.#entry, text, { mode: 0o600 })
    await chmod(this.#entry, 0o600)
    this.#entryWritten = text
  }
}
