/** What of a session is there: in the engine, among the processes, among the project's files. Tests of ends count with it. */
import { execFile } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Runs the docker client. `host` names another engine than the usual one. */
export async function docker(args: readonly string[], host?: string): Promise<string> {
  const { stdout } = await run('docker', host === undefined ? args : ['--host', host, ...args], { maxBuffer: 2 ** 24 })
  return stdout.trim()
}

/** Ids of a session's containers, those in the making and just ending included; `role` only those of one part. */
export async function containersOf(session: string, role?: string, host?: string): Promise<string[]> {
  const filters = [`label=moorage.session=${session}`, ...(role === undefined ? [] : [`label=moorage.role=${role}`])]
  const args = ['ps', '--all', '--quiet', '--no-trunc', ...filters.flatMap((filter) => ['--filter', filter])]
  return words(await docker(args, host))
}

/** Everything of a session that lies in the engine, as `container 1f0c…`. Empty when it left nothing. */
export async function inEngine(session: string, host?: string): Promise<string[]> {
  const label = ['--filter', `label=moorage.session=${session}`]
  const [containers, networks, volumes] = await Promise.all([
    containersOf(session, undefined, host),
    docker(['network', 'ls', '--quiet', ...label], host).then(words),
    docker(['volume', 'ls', '--quiet', ...label], host).then(words),
  ])
  return [
    ...containers.map((id) => `container ${id.slice(0, 12)}`),
    ...networks.map((id) => `network ${id}`),
    ...volumes.map((name) => `volume ${name}`),
  ]
}

/** Files that outlive a session on purpose. */
const KEPT: ReadonlySet<string> = new Set(['hashes.json', 'objects.json'])

/**
 * Moorage's files in a project that belong to one session, with their folders: lock, logs, generated entries. What is kept on
 * purpose (storage of objects, hashes of the build context, names of objects, wrangler's own temporary folder) is not among them.
 */
export async function filesOf(folder: string): Promise<string[]> {
  const base = join(folder, '.wrangler', 'moorage')
  const entries = await readdir(base, { recursive: true }).catch(() => [] as string[])
  return entries.map((entry) => relative(base, join(base, entry))).filter((entry) => !KEPT.has(entry))
}

/** A process as `/proc` shows it. */
export interface Process {
  readonly pid: number
  readonly parent: number
  readonly command: string
}

/** All processes below one, at any depth. */
export async function below(pid: number): Promise<Process[]> {
  const all = await processes()
  const found: Process[] = []
  for (const parents = [pid]; parents.length > 0; ) {
    const parent = parents.pop()
    for (const one of all) {
      if (one.parent !== parent) continue
      found.push(one)
      parents.push(one.pid)
    }
  }
  return found
}

/** All processes whose command names something. */
export async function processesNaming(part: string): Promise<Process[]> {
  return (await processes()).filter(({ pid, command }) => pid !== process.pid && command.includes(part))
}

/** Whether a process is there (one that has ended and was not collected is not). */
export async function lives(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  return stat !== '' && stat.slice(stat.lastIndexOf(')') + 2)[0] !== 'Z'
}

/** The CPU time that a process has used, its children's not included, in ms. */
export async function cpuMs(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  // utime and stime, in ticks of a hundredth of a second.
  return (Number(fields[11]) + Number(fields[12])) * 10
}

async function processes(): Promise<Process[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number)
  const found = await Promise.all(
    pids.map(async (pid) => {
      const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
      const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
      const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      if (stat === '' || state === 'Z') return []
      return [{ pid, parent: Number(parent), command: command.replaceAll('\0', ' ').trim() }]
    }),
  )
  return found.flat()
}

function words(text: string): string[] {
  return text.split('\n').filter((word) => word !== '')
}
