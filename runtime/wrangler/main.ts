/** The wrangler child: loads the project's own wrangler, serves its Worker, and ends with its parent. */
import { statSync } from 'node:fs'
import { enableCompileCache } from 'node:module'
import { dirname } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import {
  CHILD_VERSION,
  type EngineAddress,
  type FromChild,
  type ProjectConfig,
  type ToChild,
} from '../protocol/child.ts'
import { MoorageError } from '../protocol/errors.ts'
import { checkDockerfiles, readProject, type WranglerConfig } from './config.ts'
import { type FoundWrangler, findWrangler, loadWrangler, type RawConfig, type Wrangler } from './found.ts'
import { type LeftFiles, removeLeft } from './left.ts'
import { describeConfig, failedMessage } from './problems.ts'
import { Server } from './serve.ts'
import { watchWorkerd } from './workerd.ts'

// wrangler is 15 MB of JavaScript; compiled once, it loads in half the time.
enableCompileCache()

/** What reading a config came to, until the next one. */
interface Opened {
  readonly wrangler: Wrangler
  readonly found: FoundWrangler
  readonly config: WranglerConfig
  readonly project: ProjectConfig
  readonly env: string | undefined
}

let opened: Opened | undefined
let server: Server | undefined
let sweepable: { readonly session: string; readonly engine: EngineAddress } | undefined
let removable: LeftFiles | undefined
let ending = false

const workerd = watchWorkerd((how) => {
  if (!ending) server?.lost(how).catch(fail)
})

ignoreSignals(['SIGINT', 'SIGTERM', 'SIGHUP'])
process.on('disconnect', () => void end(true))
process.on('message', (message) => void handle(message as ToChild).catch(fail))
process.on('uncaughtException', fail)
process.on('unhandledRejection', (reason) =>
  tell({ type: 'log', level: 'debug', from: 'wrangler', text: String((reason as Error)?.stack ?? reason) }),
)

async function handle(message: ToChild): Promise<void> {
  if (message.type === 'read') {
    if (message.version !== CHILD_VERSION)
      throw new Error(`The session speaks version ${message.version}, the wrangler child ${CHILD_VERSION}.`)
    const { session, engine, files } = message
    if (engine) sweepable = { session, engine }
    if (files) removable = { session, ...files }
    opened = await open(message.config, message.env)
    tell({ type: 'config', project: opened.project })
  } else if (message.type === 'start') {
    if (!opened) throw new Error('There is no config to start from.')
    const { found, ...rest } = opened
    await server?.dispose()
    server = new Server({ ...rest, wranglerFolder: found.folder, start: message, tell, configRead })
    await server.open()
  } else if (message.type === 'trace') {
    const source = await server?.trace(message.stack)
    tell({ type: 'traced', id: message.id, ...(source !== undefined && { source }) })
  } else if (message.type === 'reload') {
    await server?.reload()
  } else if (message.type === 'engine') {
    sweepable = { session: message.session, engine: message.engine }
  } else if (message.type === 'dispose') {
    await end(false)
  }
}

async function open(config: string, env: string | undefined): Promise<Opened> {
  process.chdir(dirname(config))
  const found = findWrangler(config)
  const wrangler = await loadWrangler(found)
  const around = { config, wranglerVersion: found.version, isFile }
  let read: WranglerConfig
  try {
    read = wrangler.unstable_readConfig({ config, env })
  } catch (error) {
    const raw = rawConfig(wrangler, config)
    checkDockerfiles((env === undefined ? undefined : raw?.env?.[env]?.containers) ?? raw?.containers ?? [], around)
    throw new MoorageError('config-invalid', describeConfig(error), { detail: { config } })
  }
  const project = readProject(read, around)
  return { wrangler, found, config: read, project, env }
}

function rawConfig(wrangler: Wrangler, config: string): RawConfig | undefined {
  try {
    return wrangler.experimental_readRawConfig?.({ config }).rawConfig
  } catch {
    return undefined
  }
}

/** wrangler takes over a changed config by itself; only other containers or classes are the session's affair. */
function configRead(): void {
  if (!opened) return
  const { wrangler, found, project, env } = opened
  try {
    const read = wrangler.unstable_readConfig({ config: project.config, env })
    const now = readProject(read, { config: project.config, wranglerVersion: found.version, isFile })
    const part = ({ containers, classes, main, name }: ProjectConfig) => ({ containers, classes, main, name })
    if (!isDeepStrictEqual(part(now), part(project))) tell({ type: 'config-changed' })
  } catch (error) {
    tell({ type: 'build-failed', message: (error as Error).message, serving: true })
  }
}

/** Says why, and ends: nothing can be served any more. */
function fail(error: unknown): void {
  if (ending) return
  process.send?.(failedMessage(error), () => void end(false))
}

/** @param orphaned whether the parent is gone without a word: what it left on the engine and on the disk is then swept from here. */
async function end(orphaned: boolean): Promise<void> {
  if (ending) return
  ending = true
  await server?.dispose()
  await workerd.killAll()
  if (orphaned && sweepable) {
    const { sweepSession } = await import('../engine/leftovers.ts')
    await sweepSession(sweepable.engine, sweepable.session).catch(() => {})
  }
  if (orphaned && removable) await removeLeft(removable).catch(() => {})
  process.exit(0)
}

/**
 * The session decides when this process ends, not a terminal that sends a signal to everybody: what wrangler would do then,
 * which is to end workerd and the process, it shall not do.
 */
function ignoreSignals(signals: readonly NodeJS.Signals[]): void {
  for (const signal of signals) process.on(signal, () => {})
  for (const method of ['on', 'addListener', 'once', 'prependListener', 'prependOnceListener'] as const) {
    const add = process[method].bind(process) as (event: string, listener: () => void) => NodeJS.Process
    process[method] = ((event: string, listener: () => void) =>
      signals.includes(event as NodeJS.Signals) ? process : add(event, listener)) as never
  }
}

function tell(message: FromChild): void {
  if (process.connected && !ending) process.send?.(message)
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false
}
