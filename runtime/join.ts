import { existsSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Session, SessionOptions } from './front.ts'
import { type LockText, readLock } from './lock.ts'
import { CONFIG_NAMES, configFile } from './project.ts'
import type { Open } from './protocol/client.ts'
import { MoorageError } from './protocol/errors.ts'
import { joinShare } from './share/client.ts'
import { type JoinEvents, type Joined, openProcess } from './share/process.ts'

/** How often a session that is just starting is asked whether it serves, in ms. */
const STARTING_MS = 100

/** What a session is joined with. */
export interface JoinOptions extends Pick<SessionOptions, 'onEvent'> {
  /** Aborts the joining; a session that was joined is left by dispose(). */
  readonly signal?: AbortSignal
}

/**
 * Starts a process in a running session of a project, from another terminal.
 * @param config a config, or its folder.
 * @throws MoorageError `no-session` where none runs, `no-config` where there is no such project.
 */
export async function joinProcess(config: string, open: Omit<Open, 'version'>, events: JoinEvents): Promise<Joined> {
  const folder = dirname(configOf(config, open.object))
  const lock = await readLock(folder)
  if (lock?.join === undefined) throw noSession(folder)
  return openProcess(lock.join, open, events)
}

/**
 * Joins the session of a project that runs in another process, with all that can be seen of it and done in it. One that is
 * just starting is waited for. Processes and forwards that are opened through the joining end with it.
 * @param config a config, or its folder.
 * @throws MoorageError `no-session` where none runs, `other-version` where it is one of another Moorage.
 */
export async function joinSession(config: string, options: JoinOptions = {}): Promise<Session> {
  const folder = dirname(configFile(resolve(config)))
  const { port, share, token } = await serving(folder, options.signal)
  if (share === undefined) throw new MoorageError('other-version', 'The session is one of an older Moorage.')
  return joinShare({ port: share, relayPort: port, token }, options)
}

async function serving(folder: string, signal: AbortSignal | undefined): Promise<NonNullable<LockText['join']>> {
  for (;;) {
    const lock = await readLock(folder)
    if (lock === undefined) throw noSession(folder)
    if (lock.join !== undefined) return lock.join
    await sleep(STARTING_MS, undefined, { signal }).catch(() => undefined)
    if (signal?.aborted === true) throw new MoorageError('no-session', 'The joining was cancelled.')
  }
}

function noSession(folder: string): MoorageError {
  return new MoorageError('no-session', `No session of ${folder} runs.`, {
    advice: ['Start it first, in another terminal: moorage dev'],
  })
}

/** The config of a project to join; where there is none, whoever is in a folder of the project is told the way. */
function configOf(path: string, object: string): string {
  try {
    return configFile(resolve(path))
  } catch (error) {
    if (!(error instanceof MoorageError)) throw error
    const above = configAbove(resolve(path))
    throw new MoorageError('no-config', error.message, {
      advice: [
        `Run it in the folder of the project, or name its config: moorage exec ${object} --config ${above ?? 'path/to/wrangler.jsonc'}`,
      ],
    })
  }
}

function configAbove(path: string): string | undefined {
  for (let folder = dirname(path), last = path; folder !== last; last = folder, folder = dirname(folder)) {
    const name = CONFIG_NAMES.find((one) => existsSync(join(folder, one)))
    if (name !== undefined) return relative(process.cwd(), join(folder, name))
  }
  return undefined
}
