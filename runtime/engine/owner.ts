/** Which process a session belongs to, so that another can tell whether it still lives. */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFile, readlink } from 'node:fs/promises'
import os from 'node:os'

/** A process, told apart from a later one with the same pid. */
export interface Owner {
  /** The machine and pid namespace that `pid` counts in. */
  readonly host: string
  readonly pid: number
  /** When it started, in whatever the platform counts; '' where it cannot be told. */
  readonly start: string
}

/** What this file asks of the machine; a test has its own. */
export interface Machine {
  readonly platform: NodeJS.Platform
  readonly hostname: string
  read(file: string): Promise<string>
  link(file: string): Promise<string>
  run(program: string, args: readonly string[]): Promise<string>
  /** Whether a process of this pid exists, whoever's it is. */
  exists(pid: number): boolean
}

export const THIS_MACHINE: Machine = {
  platform: process.platform,
  hostname: os.hostname(),
  read: (file) => readFile(file, 'utf8'),
  link: (file) => readlink(file),
  // lstart is written in the user's language otherwise.
  run: (program, args) =>
    new Promise((resolve, reject) =>
      execFile(program, args, { env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' } }, (error, stdout) =>
        error ? reject(error) : resolve(stdout),
      ),
    ),
  exists: (pid) => {
    try {
      process.kill(pid, 0)
      return true
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'EPERM'
    }
  },
}

/** The value of the label `moorage.owner` for a process of this machine: `host:pid:start`. */
export async function ownerLabel(pid: number = process.pid, machine: Machine = THIS_MACHINE): Promise<string> {
  return `${await hostOf(machine)}:${pid}:${(await startOf(pid, machine)) ?? ''}`
}

/** undefined where the text is no owner. */
export function parseOwner(label: string): Owner | undefined {
  const parts = /^([^:]+):(\d+):([^:]*)$/.exec(label)
  return parts ? { host: parts[1] as string, pid: Number(parts[2]), start: parts[3] as string } : undefined
}

/** Whether an owner is certainly dead. One of another host, or that cannot be looked at, counts as living. */
export async function isDead(owner: Owner, machine: Machine = THIS_MACHINE): Promise<boolean> {
  if (owner.host !== (await hostOf(machine))) return false
  if (!machine.exists(owner.pid)) return true
  const start = await startOf(owner.pid, machine)
  return owner.start !== '' && start !== undefined && start !== owner.start
}

/**
 * A name for where pids are counted. The host name alone is not it: a Windows machine, its WSL distributions and containers on it may all
 * bear the same one and share an engine.
 */
async function hostOf(machine: Machine): Promise<string> {
  const namespace = machine.platform === 'linux' ? await machine.link('/proc/self/ns/pid').catch(() => '') : ''
  const mark = createHash('sha256').update(`${machine.platform} ${namespace}`).digest('hex').slice(0, 8)
  return `${machine.hostname.replaceAll(':', '-')}.${mark}`
}

/** undefined where there is no such process, or no telling. */
async function startOf(pid: number, machine: Machine): Promise<string | undefined> {
  try {
    if (machine.platform === 'linux') {
      const stat = await machine.read(`/proc/${pid}/stat`)
      // The second field is the program's name in brackets, which may hold spaces and brackets; the start is field 22.
      return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
    }
    if (machine.platform === 'win32') return undefined
    const at = Date.parse(`${(await machine.run('ps', ['-o', 'lstart=', '-p', String(pid)])).trim()} UTC`)
    return Number.isNaN(at) ? undefined : String(at / 1000)
  } catch {
    return undefined
  }
}
