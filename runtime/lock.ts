/** One session a project: two would share the Worker's storage. */
import { mkdir, open, readFile, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { MoorageError } from './protocol/errors.ts'

/** What a running session tells of itself. */
export interface LockText {
  readonly pid: number
  readonly session: string
  readonly since: number
  readonly url?: string
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
 * Takes the lock of a project. One that a dead process left is taken over.
 * @throws MoorageError `session-exists` that names the first session and how to join it.
 */
export async function takeLock(
  folder: string,
  session: string,
  alive: (pid: number) => boolean = isAlive,
): Promise<Lock> {
  const file = lockFile(folder)
  await mkdir(dirname(file), { recursive: true })
  let text: LockText = { pid: process.pid, session, since: Date.now() }
  for (let attempt = 0; ; attempt++) {
    try {
      await write(file, text, 'wx')
      break
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || attempt > 3) throw error
      const other = await read(file)
      if (other !== undefined && alive(other.pid)) throw inUse(folder, other)
      await rm(file, { force: true })
    }
  }
  return {
    update: async (more) => {
      text = { ...text, ...more }
      await write(file, text, 'w')
    },
    release: async () => {
      if ((await read(file))?.session === session) await rm(file, { force: true })
    },
  }
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
      detail: { ...other, folder },
    },
  )
}

async function read(file: string): Promise<LockText | undefined> {
  try {
    const value = JSON.parse(await readFile(file, 'utf8')) as LockText
    return typeof value.pid === 'number' ? value : undefined
  } catch {
    return undefined
  }
}

async function write(file: string, text: LockText, flag: 'w' | 'wx'): Promise<void> {
  const handle = await open(file, flag, 0o600)
  try {
    await handle.writeFile(JSON.stringify(text))
  } finally {
    await handle.close()
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
