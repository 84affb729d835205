/** Which Node runs the wrangler child: wrangler needs a newer one than the rest of Moorage. */
import { execFile } from 'node:child_process'
import { mkdir, rename, rm, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { MoorageError } from '../protocol/errors.ts'
import { isAtLeast } from './found.ts'

/** The oldest Node that wrangler runs on. */
export const OLDEST_NODE = '22.12.0'

/** What is installed where there is none. */
const INSTALLED_MAJOR = 24

/** A program that is Node, and what its environment needs for it to be. */
export interface NodeProgram {
  readonly path: string
  readonly env: Readonly<Record<string, string>>
}

/** The process that asks, as far as it matters. */
export interface NodeSurroundings {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly execPath: string
  readonly version: string
  readonly isElectron: boolean
  readonly platform: NodeJS.Platform
  readonly arch: string
  /** The user's cache folder for Moorage. */
  readonly cache: string
  /** The version that a program says it is, or undefined where it is not Node. */
  readonly versionOf: (program: string) => Promise<string | undefined>
  /** Installs a package of npm into a folder. */
  readonly install: (spec: string, folder: string) => Promise<void>
}

/**
 * The first that is new enough of: MOORAGE_NODE, this process's own, `node` on PATH, the one in the cache, one installed now.
 * @param onInstall is told in words before something is installed.
 * @throws MoorageError `node-too-old`.
 */
export async function findNode(
  onInstall: (text: string) => void,
  around: NodeSurroundings = surroundings(),
): Promise<NodeProgram> {
  const { env, versionOf } = around
  const isNew = (version: string | undefined): boolean => version !== undefined && isAtLeast(version, OLDEST_NODE)
  const wanted = env.MOORAGE_NODE
  if (wanted) {
    const version = await versionOf(wanted)
    if (isNew(version)) return { path: wanted, env: {} }
    throw tooOld(
      version === undefined
        ? `MOORAGE_NODE is ${wanted}, which is no Node program.`
        : `MOORAGE_NODE is Node ${version}; wrangler needs ${OLDEST_NODE} or newer.`,
    )
  }
  if (isNew(around.version))
    return { path: around.execPath, env: around.isElectron ? { ELECTRON_RUN_AS_NODE: '1' } : {} }
  const onPath = await versionOf('node')
  if (isNew(onPath)) return { path: 'node', env: {} }
  return { path: await cachedNode(onInstall, around, onPath ?? around.version), env: {} }
}

/** The Node that somebody chose. @throws MoorageError `node-too-old` where it will not do. */
export async function chosenNode(
  path: string,
  versionOf: NodeSurroundings['versionOf'] = surroundings().versionOf,
): Promise<NodeProgram> {
  const version = await versionOf(path)
  if (version === undefined) throw tooOld(`The Node that was chosen, ${path}, is no Node program.`)
  if (isAtLeast(version, OLDEST_NODE)) return { path, env: {} }
  throw tooOld(`The Node that was chosen, ${path}, is Node ${version}; wrangler needs ${OLDEST_NODE} or newer.`)
}

async function cachedNode(onInstall: (text: string) => void, around: NodeSurroundings, have: string): Promise<string> {
  const name = packageName(around.platform, around.arch)
  const folder = join(around.cache, `${name}-${INSTALLED_MAJOR}`)
  const program = join(folder, 'node_modules', name, 'bin', around.platform === 'win32' ? 'node.exe' : 'node')
  if (await isThere(program)) return program
  onInstall(
    `wrangler needs Node ${OLDEST_NODE} or newer, here is ${have}. Installing the npm package ${name}@${INSTALLED_MAJOR} into ${folder}, once.`,
  )
  const fresh = `${folder}.${process.pid}`
  try {
    await mkdir(fresh, { recursive: true })
    await around.install(`${name}@${INSTALLED_MAJOR}`, fresh)
    // Another session may have been faster; what it installed is as good.
    await rename(fresh, folder).catch(() => {})
    if (await isThere(program)) return program
    throw new Error(`The package ${name} has no program in it.`)
  } catch (error) {
    throw tooOld(
      `wrangler needs Node ${OLDEST_NODE} or newer, here is ${have}, and a newer one could not be installed.`,
      error,
    )
  } finally {
    await rm(fresh, { recursive: true, force: true })
  }
}

/** The name of the npm package with Node's official binary in it. */
export function packageName(platform: NodeJS.Platform, arch: string): string {
  return `node-${platform === 'win32' ? 'win' : platform}-${arch}`
}

function tooOld(message: string, cause?: unknown): MoorageError {
  return new MoorageError('node-too-old', message, {
    advice: [`Install Node ${OLDEST_NODE} or newer, or set MOORAGE_NODE to the path of one.`],
    ...(cause !== undefined && { cause, detail: { cause: String((cause as Error)?.message ?? cause) } }),
  })
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  )
}

function surroundings(): NodeSurroundings {
  const run = promisify(execFile)
  return {
    env: process.env,
    execPath: process.execPath,
    version: process.versions.node,
    isElectron: process.versions.electron !== undefined,
    platform: process.platform,
    arch: process.arch,
    cache: cacheFolder(process.platform, process.env),
    versionOf: async (program) => {
      try {
        const { stdout } = await run(program, ['--version'], { timeout: 5_000, windowsHide: true })
        return /^v(\d+\.\d+\.\d+)/.exec(stdout)?.[1]
      } catch {
        return undefined
      }
    },
    install: async (spec, folder) => {
      const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
      const args = [
        'install',
        spec,
        '--prefix',
        folder,
        '--no-audit',
        '--no-fund',
        '--no-package-lock',
        '--ignore-scripts',
        '--loglevel',
        'error',
      ]
      await run(npm, args, { timeout: 300_000, windowsHide: true, shell: process.platform === 'win32' })
    },
  }
}

/** The user's cache folder for Moorage, as each platform has it. */
export function cacheFolder(platform: NodeJS.Platform, env: Readonly<Record<string, string | undefined>>): string {
  if (platform === 'win32') return join(env.LOCALAPPDATA ?? join(homedir(), 'AppData', 'Local'), 'moorage', 'cache')
  if (platform === 'darwin') return join(homedir(), 'Library', 'Caches', 'moorage')
  return join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'moorage')
}
