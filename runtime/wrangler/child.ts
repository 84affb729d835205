/** The session's side of the wrangler child: starts it, asks it, hears it, ends it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { dirname, join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { Emitter } from '../base/emitter.ts'
import { Latch, within } from '../base/latch.ts'
import { LineCutter } from '../base/lines.ts'
import {
  CHILD_VERSION,
  type EngineAddress,
  type FromChild,
  type ProjectConfig,
  type ToChild,
} from '../protocol/child.ts'
import { type ErrorCode, MoorageError } from '../protocol/errors.ts'
import { entryFile } from './entry.ts'
import { findNode, type NodeProgram } from './node.ts'
import { TheirWords } from './ours.ts'
import { OutputReader } from './output.ts'

/** How long a child may take to end by itself before it is killed, in milliseconds. */
const END_TIMEOUT_MS = 1_200

/** How long after that the group may still hold its output open. */
const GONE_TIMEOUT_MS = 300

export interface ChildOptions {
  /** Absolute path of the folder with wrangler.js. */
  readonly dist: string
  /** Absolute path of the project's config file. */
  readonly config: string
  readonly env?: string | undefined
  /** The session's id, for the sweep of a child whose parent is gone. */
  readonly session: string
  readonly engine?: EngineAddress | undefined
  /** The session's files, which a child whose parent is gone removes. */
  readonly files?: { readonly folder: string; readonly lock: string } | undefined
  /** Told in words before a Node is installed. */
  readonly onInstall?: (text: string) => void
  /** Finds the Node to run it with. */
  readonly findNode?: (onInstall: (text: string) => void) => Promise<NodeProgram>
}

/** A source line is worth no more waiting than this. */
const TRACE_TIMEOUT_MS = 500

/** What a start needs; see ToChild. */
export type StartRequest = Omit<Extract<ToChild, { type: 'start' }>, 'type'>

/** What a child says while it runs, `config` and `failed` excepted: those are answers. */
export type ChildEvent =
  | Exclude<FromChild, { type: 'config' | 'failed' | 'traced' }>
  /** It is gone without being asked to: nothing is served any more. */
  | { readonly type: 'ended'; readonly error: MoorageError }

/**
 * Starts a child and reads the project's config.
 * @throws MoorageError of the codes that ErrorCode has for a project: `no-wrangler`, `wrangler-too-old`, `node-too-old`,
 *   `config-invalid`, `no-containers`, `dockerfile-missing`, `worker-failed`. No process is left then.
 */
export async function openChild(options: ChildOptions): Promise<WranglerChild> {
  const node = await (options.findNode ?? findNode)(options.onInstall ?? (() => {}))
  const child = new WranglerChild(spawnChild(node, options))
  try {
    await child.read(options)
    return child
  } catch (error) {
    await child.dispose()
    throw error
  }
}

/** A running child. Whoever opened it disposes it. */
export class WranglerChild {
  readonly #process: ChildProcess
  readonly #events = new Emitter<ChildEvent>()
  readonly #gone = new Latch()
  #config = new Latch<ProjectConfig>()
  #ready = new Latch<{ url: string; inspectorUrl: string | undefined }>()
  #project: ProjectConfig | undefined
  #words: TheirWords | undefined
  #failure: MoorageError | undefined
  readonly #tracing = new Map<number, Latch<string | undefined>>()
  #traces = 0
  #disposing = false

  constructor(child: ChildProcess) {
    this.#process = child
    child.on('message', (message) => this.#take(message as FromChild))
    child.once('error', (error) =>
      this.#end(
        new MoorageError('worker-failed', `The wrangler child could not be started: ${error.message}`, {
          cause: error,
        }),
      ),
    )
    // Its output may stay open for longer, where a workerd has inherited it.
    child.once('exit', (code, signal) => {
      killGroup(child)
      this.#gone.resolve()
      const how = signal ? `by ${signal}` : `with code ${code}`
      this.#end(
        this.#failure ??
          new MoorageError('worker-failed', `The wrangler child ended ${how}.`, {
            advice: ['Start the session again.'],
          }),
      )
    })
    this.#pass(child.stdout, 'info')
    this.#pass(child.stderr, 'error')
  }

  /** What it read last. */
  get project(): ProjectConfig {
    if (!this.#project) throw new Error('The child has read no config yet.')
    return this.#project
  }

  /** The child's process, which leads a process group of its own except on Windows. */
  get pid(): number | undefined {
    return this.#process.pid
  }

  /** Adds a listener; the function returned removes it. */
  on(listener: (event: ChildEvent) => void): () => void {
    return this.#events.on(listener)
  }

  /** Reads the config, at first or again after `config-changed`. @throws as openChild. */
  async read(options: Pick<ChildOptions, 'config' | 'env' | 'session' | 'engine' | 'files'>): Promise<ProjectConfig> {
    this.#config = new Latch()
    const { config, env, session, engine, files } = options
    this.#send({
      type: 'read',
      version: CHILD_VERSION,
      config,
      session,
      ...(env !== undefined && { env }),
      ...(engine && { engine }),
      ...(files && { files }),
    })
    this.#project = await this.#config.promise
    return this.#project
  }

  /** The line of the developer's code that a stack of the Worker leads to, as `src/index.ts:21`, where it can be told in time. */
  async trace(stack: string): Promise<string | undefined> {
    const id = ++this.#traces
    const latch = new Latch<string | undefined>()
    this.#tracing.set(id, latch)
    this.#send({ type: 'trace', id, stack })
    try {
      return await within(TRACE_TIMEOUT_MS, latch.promise)
    } finally {
      this.#tracing.delete(id)
    }
  }

  /** Tells where the session's containers are, so that the child can sweep them when the session's process is gone. */
  sweeps(session: string, engine: EngineAddress): void {
    this.#send({ type: 'engine', session, engine })
  }

  /**
   * Starts the Worker, or starts it anew with another entry. Resolves when it answers requests: where its first build
   * fails (event `build-failed`), after the developer's fix.
   * @throws MoorageError `class-not-exported`, `port-in-use` or `worker-failed`; the child is gone then.
   */
  async start(request: StartRequest): Promise<{ url: string; inspectorUrl: string | undefined }> {
    this.#ready = new Latch()
    const { config, main, name } = this.project
    const { folder, workerModule } = request.entry
    this.#words = new TheirWords({ config, main, entry: entryFile(folder, name), workerModule })
    this.#send({ type: 'start', ...request })
    return this.#ready.promise
  }

  /** Has the Worker loaded anew; what comes of it is heard as an event. */
  reload(): void {
    this.#send({ type: 'reload' })
  }

  /** Ends the Worker and the child, by force after 1.2 s. Resolves when all of its processes are gone. Never throws. */
  async dispose(): Promise<void> {
    this.#disposing = true
    const child = this.#process
    if (child.exitCode === null && child.signalCode === null && child.pid !== undefined) {
      this.#send({ type: 'dispose' })
      await within(END_TIMEOUT_MS, this.#gone.promise)
      killGroup(child)
      await within(GONE_TIMEOUT_MS, this.#gone.promise)
    }
    this.#end(new MoorageError('worker-failed', 'The wrangler child was ended.'))
  }

  #take(message: FromChild): void {
    switch (message.type) {
      case 'config':
        this.#config.resolve(message.project)
        return
      case 'failed':
        this.#failure = new MoorageError(message.code as ErrorCode, message.message, {
          advice: message.advice,
          detail: { ...message.detail },
        })
        this.#settle(this.#failure)
        return
      case 'traced':
        this.#tracing.get(message.id)?.resolve(message.source)
        return
      case 'ready':
        this.#ready.resolve({ url: message.url, inspectorUrl: message.inspectorUrl })
        break
      case 'log':
        this.#tellLog(message)
        return
      default:
    }
    this.#events.emit(message)
  }

  /** A log of the Worker's or wrangler's, in which nothing of ours stands. */
  #tellLog(log: Extract<FromChild, { type: 'log' }>): void {
    const text = this.#words?.of(log.text) ?? log.text
    if (text !== '' || log.text === '') this.#events.emit({ ...log, text })
  }

  #end(error: MoorageError): void {
    const tell = !this.#disposing
    this.#disposing = true
    this.#settle(error)
    if (tell) this.#events.emit({ type: 'ended', error })
  }

  #settle(error: MoorageError): void {
    this.#config.reject(error)
    this.#ready.reject(error)
  }

  #send(message: ToChild): void {
    if (this.#process.connected) this.#process.send(message, () => {})
  }

  #pass(stream: NodeJS.ReadableStream | null, level: 'info' | 'error'): void {
    const lines = new LineCutter()
    const reader = new OutputReader(level)
    const tell = (coloured: string) => {
      const text = stripVTControlCharacters(coloured)
      if (text.trim() === '' || this.#disposing) return
      this.#tellLog(reader.read(text, this.#ready.settled, this.#project?.wranglerVersion))
    }
    stream?.on('data', (chunk: Buffer) => lines.push(chunk).forEach(tell))
    stream?.on('end', () => [lines.end() ?? ''].forEach(tell))
  }
}

function spawnChild(node: NodeProgram, options: ChildOptions): ChildProcess {
  return spawn(node.path, [join(options.dist, 'wrangler.js')], {
    cwd: dirname(options.config),
    env: { ...childEnvironment(process.env), ...node.env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    // A process group of its own: the terminal's Ctrl-C does not reach it before the session ends it, and a group can be
    // killed whole, workerd and esbuild included, where the child itself was killed.
    detached: process.platform !== 'win32',
    windowsHide: true,
  })
}

/** Kills what the child may have left behind. */
function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return
  try {
    if (process.platform === 'win32') child.kill('SIGKILL')
    else process.kill(-child.pid, 'SIGKILL')
  } catch {
    // Nothing is left.
  }
}

/** What wrangler shall not have of a debugger's or an editor's environment, and the settings for a program without a person in front. */
export function childEnvironment(
  env: Readonly<Record<string, string | undefined>>,
): Record<string, string | undefined> {
  const {
    NODE_OPTIONS: _,
    NODE_CHANNEL_FD: __,
    VSCODE_INSPECTOR_OPTIONS: ___,
    ELECTRON_RUN_AS_NODE: ____,
    FORCE_COLOR: _____,
    ...kept
  } = env
  return {
    ...kept,
    NO_COLOR: '1',
    WRANGLER_HIDE_BANNER: 'true',
    WRANGLER_SEND_METRICS: 'false',
    WRANGLER_SEND_ERROR_REPORTS: 'false',
    WRANGLER_NO_SKILLS_UPDATE_PROMPTS: 'true',
    DO_NOT_TRACK: '1',
    CLOUDFLARE_CF_FETCH_ENABLED: 'false',
  }
}
