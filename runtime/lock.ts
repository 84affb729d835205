/** One session a project: two would share the Worker's storage. */
import { link, mkdir, readdir, readFile, rename, rm, rmdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isDead, ownerLabel, parseOwner } from './engine/owner.ts'
import { MoorageError } from './protocol/errors.ts'

/** What a running session tells of itself. */
export interface LockText {
  readonly pid: number
  readonly session: string
  readonly since: number
  /** The process, told apart from a later one with the same pid. */
  readonly owner?: string
  readonly url?: string
  /**
   * How to join, once it serves: with a process (the relay's port), with a whole program (`share`), and the token that lets
   * one. The file is only the user's to read.
   */
  readonly join?: { readonly port: number; readonly share?: number; readonly token: string }
}

export interface Lock {
  /** Adds what became known, for whoever finds the lock. */
  update(more: Partial<LockText>): Promise<void>
  release(): Promise<void>
}

/** Where the lock of a project lies, given the folder of its config. */
export function lockFile(folder: string): string {
  return join(folder, '.wrangler', 'moorage', 'session.json')
}

/**
 * Takes the lock of a project. One that a dead process left is taken over, and what it left of files is removed.
 * @throws MoorageError `session-exists` that names the first session and how to join it.
 */
export async function takeLock(
  folder: string,
  session: string,
  alive: (lock: LockText) => boolean | Promise<boolean> = isAlive,
): Promise<Lock> {
  const file = lockFile(folder)
  await mkdir(dirname(file), { recursive: true })
  let text: LockText = { pid: process.pid, session, since: Date.now(), owner: await ownerLabel() }
  for (let attempt = 0; ; attempt++) {
    try {
      // Never seen half written: another session would take it for one that nobody holds.
      await whole(file, text, link)
      break
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || attempt > 3) throw error
      const other = await read(file)
      if (other !== undefined && (await alive(other))) throw inUse(folder, other)
      await takeAway(file, other, session)
    }
  }
  await removeStale(dirname(file), session)
  return {
    update: async (more) => {
      text = { ...text, ...more }
      await whole(file, text, rename)
    },
    release: () => releaseLock(file, session),
  }
}

/**
 * Removes a dead session's lock. Another start may have found it dead as well, and put its own there meanwhile: that one is
 * given back.
 */
async function takeAway(file: string, dead: LockText | undefined, session: string): Promise<void> {
  const aside = `${file}.${session}.dead`
  try {
    await rename(file, aside)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw error
  }
  if ((await read(aside))?.session !== dead?.session) await link(aside, file).catch(() => undefined)
  await rm(aside, { force: true })
}

async function releaseLock(file: string, session: string): Promise<void> {
  if ((await read(file))?.session !== session) return
  await rm(file, { force: true })
  // A project that never ran has no folders of ours either.
  await rmdir(dirname(file)).catch(() => undefined)
  await rmdir(dirname(dirname(file))).catch(() => undefined)
}

/** Folders of sessions that are gone: the lock is ours, so no other session of this project lives. */
async function removeStale(folder: string, session: string): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
  const stale = entries.filter((entry) => entry.isDirectory() && entry.name !== session)
  await Promise.all(stale.map((entry) => rm(join(folder, entry.name), { recursive: true, force: true })))
}

function inUse(folder: string, other: LockText): MoorageError {
  const where = other.url === undefined ? 'which is just starting' : `which serves ${other.url}`
  return new MoorageError(
    'session-exists',
    `This project already runs: session ${other.session}, process ${other.pid}, ${where}, since ${new Date(other.since).toLocaleTimeString()}.`,
    {
      advice: [
        other.url === undefined ? 'Wait until it is ready and use it.' : `Use it: ${other.url}`,
        `Or end it first: kill ${other.pid} (it cleans up after itself).`,
      ],
      detail: { pid: other.pid, session: other.session, url: other.url, folder },
    },
  )
}

/** The session that runs a project, or undefined. */
export async function readLock(
  folder: string,
  alive: (lock: LockText) => boolean | Promise<boolean> = isAlive,
): Promise<LockText | undefined> {
  const text = await read(lockFile(folder))
  return text !== undefined && (await alive(text)) ? text : undefined
}

async function read(file: string): Promise<LockText | undefined> {
  try {
    const value = JSON.parse(await readFile(file, 'utf8')) as LockText
    return typeof value.pid === 'number' ? value : undefined
  } catch {
    return undefined
  }
}

/** Writes beside the file and puts it in place at once, by `link` (which fails where there is one) or `rename`. */
async function whole(file: string, text: LockText, put: (from: string, to: string) => Promise<void>): Promise<void> {
  const draft = `${file}.${text.session}`
  await writeFile(draft, JSON.stringify(text), { mode: 0o600 })
  try {
    await put(draft, file)
  } finally {
    await rm(draft, { force: true })
  }
}

async function isAlive(lock: LockText): Promise<boolean> {
  const owner = parseOwner(lock.owner ?? '')
  if (owner !== undefined) return !(await isDead(owner))
  try {
    process.kill(lock.pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
