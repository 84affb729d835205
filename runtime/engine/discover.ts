/** Finds the engine to use. */
import { readFile, stat } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { MoorageError } from '../protocol/errors.ts'
import { parseHost, sayAddress } from './address.ts'
import { Engine } from './engine.ts'
import { permissionAdvice } from './errors.ts'
import { STRATEGIES, type Strategy, type Surroundings } from './strategies.ts'

/** How long one engine may take to answer. An SSH connection with a jump host needs seconds. */
const ANSWER_MS = 10_000

/** One place that was looked at, and why it is not the engine. */
export interface Attempt {
  readonly strategy: string
  /** For people; undefined where the strategy did not come so far. */
  readonly address?: string
  readonly reason: string
  readonly kind: 'absent' | 'permission' | 'silent' | 'wrong'
}

export interface FindOptions extends Partial<Surroundings> {
  /** Use this engine and no other, written as in DOCKER_HOST. */
  readonly address?: string
  readonly signal?: AbortSignal
  readonly timeoutMs?: number
  readonly strategies?: readonly Strategy[]
  /** Connects; a test has its own. */
  readonly connect?: typeof Engine.connect
  /** Whether a program is on PATH; a test has its own. */
  readonly installed?: (program: string) => Promise<boolean>
}

/**
 * Finds an engine that answers: what the user named (`address`, DOCKER_HOST, a docker context) and then no other, else the first of the known
 * sockets. The engine is the caller's, to `close`; `strategy` says how it was found. Rejects with 'no-engine', whose message says all that was tried and why it was not it.
 */
export async function findEngine(options: FindOptions = {}): Promise<Engine> {
  const around: Surroundings = {
    platform: options.platform ?? process.platform,
    env: options.env ?? process.env,
    home: options.home ?? os.homedir(),
    uid: options.uid ?? process.getuid?.(),
    read: options.read ?? ((file) => readFile(file, 'utf8')),
  }
  const { address } = options
  const strategies: readonly Strategy[] =
    address === undefined
      ? (options.strategies ?? STRATEGIES)
      : [{ name: 'the address given', chosen: true, locate: async () => parseHost(address) }]
  const connect = options.connect ?? Engine.connect
  const attempts: Attempt[] = []
  for (const strategy of strategies) {
    let where: Awaited<ReturnType<Strategy['locate']>>
    try {
      where = await strategy.locate(around)
    } catch (error) {
      attempts.push({ strategy: strategy.name, reason: message(error), kind: 'wrong' })
      break
    }
    if (where === undefined) continue
    const said = sayAddress(where)
    if (attempts.some((attempt) => attempt.address === said)) continue
    const timeout = AbortSignal.timeout(options.timeoutMs ?? ANSWER_MS)
    try {
      const signal = options.signal ? AbortSignal.any([options.signal, timeout]) : timeout
      return await connect(where, { signal, strategy: strategy.name })
    } catch (error) {
      options.signal?.throwIfAborted()
      attempts.push({ strategy: strategy.name, address: said, ...reasonOf(error, timeout.aborted) })
    }
    if (strategy.chosen) break
  }
  throw noEngine(attempts, around, await installedHere(options.installed ?? ((program) => onPath(program, around))))
}

/** Whether an engine answers: the one of an address, else any that is found. Never rejects. */
export async function engineAnswers(address?: string): Promise<boolean> {
  try {
    const engine = await findEngine(address === undefined ? {} : { address })
    await engine.close()
    return true
  } catch {
    return false
  }
}

function reasonOf(error: unknown, timedOut: boolean): Pick<Attempt, 'reason' | 'kind'> {
  if (timedOut) return { reason: 'does not answer', kind: 'silent' }
  const code = error instanceof MoorageError ? error.detail.code : undefined
  if (code === 'EACCES' || code === 'EPERM') return { reason: 'permission denied', kind: 'permission' }
  if (code === 'ENOENT') return { reason: 'is not there', kind: 'absent' }
  if (code === 'ECONNREFUSED') return { reason: 'nothing listens there', kind: 'silent' }
  return { reason: message(error), kind: 'wrong' }
}

/** The error when none was found: pure. */
export function noEngine(
  attempts: readonly Attempt[],
  around: Pick<Surroundings, 'platform'>,
  installed: readonly string[],
): MoorageError {
  const tried = attempts.map((a) => `  ${a.strategy}${a.address ? ` (${a.address})` : ''}: ${a.reason}`)
  return new MoorageError('no-engine', `No container engine was found. Tried:\n${tried.join('\n')}`, {
    advice: adviceFor(attempts, around, installed),
    detail: { attempts, installed },
  })
}

function adviceFor(
  attempts: readonly Attempt[],
  { platform }: Pick<Surroundings, 'platform'>,
  installed: readonly string[],
): string[] {
  const closed = attempts.find((a) => a.kind === 'permission')
  if (closed) return [...permissionAdvice(closed.address ?? 'the socket')]
  const last = attempts.at(-1)
  if (last && (last.strategy === 'DOCKER_HOST' || last.strategy === 'the address given'))
    return ['Start the engine there, or unset or correct DOCKER_HOST (or the address).']
  if (last?.strategy.toLowerCase().includes('context'))
    return ['Start that engine, or choose another: `docker context ls`, `docker context use <name>`.']
  if (installed.includes('dockerd'))
    return ['Docker is installed and not running. Start it: sudo systemctl start docker (or: sudo dockerd &).']
  if (installed.includes('podman'))
    return [
      'Podman is installed and its service is not running. Start it: systemctl --user start podman.socket (or: podman machine start).',
    ]
  if (installed.includes('colima')) return ['Colima is installed and not running. Start it: colima start.']
  if (installed.includes('docker')) {
    return [
      platform === 'linux'
        ? 'The docker command is installed and no engine runs. Start Docker Desktop, or install the engine: https://docs.docker.com/engine/install/'
        : 'Docker is installed and not running. Start Docker Desktop.',
    ]
  }
  return [
    platform === 'linux'
      ? 'Install an engine, for example: sudo apt-get install docker.io (https://docs.docker.com/engine/install/).'
      : 'Install one, for example Docker Desktop (https://docs.docker.com/get-started/get-docker/).',
  ]
}

async function installedHere(installed: (program: string) => Promise<boolean>): Promise<string[]> {
  const programs = ['dockerd', 'docker', 'podman', 'colima']
  const there = await Promise.all(programs.map(installed))
  return programs.filter((_, index) => there[index])
}

async function onPath(program: string, { env, platform }: Surroundings): Promise<boolean> {
  const folders = [
    ...(env.PATH ?? '').split(path.delimiter),
    ...(platform === 'win32' ? [] : ['/usr/sbin', '/usr/local/bin']),
  ]
  const names = platform === 'win32' ? [`${program}.exe`] : [program]
  for (const folder of folders) {
    for (const name of names) {
      const found = await stat(path.join(folder || '.', name)).catch(() => undefined)
      if (found?.isFile()) return true
    }
  }
  return false
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
