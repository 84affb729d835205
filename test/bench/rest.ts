/** What a session costs while nothing happens. Linux only: it looks at the processes themselves. */
import { readFile, readlink } from 'node:fs/promises'
import { lockFile } from '../../runtime/lock.ts'
import { below, containersOf, cpuMs, docker } from '../support/left.ts'
import type { Measured } from './bounds.ts'
import { DevProjects, type DevServer } from './dev.ts'

const OBJECTS = 5
/** Long enough that a hundredth of a second, the clock's own step, is a small part of the bound. */
const IDLE_MS = 20_000

/** Ids on this machine of the processes of a container. */
async function processesOf(container: string): Promise<number[]> {
  const rows = (await docker(['top', container, '-eo', 'pid'])).split('\n').slice(1)
  return rows.map((row) => Number(row.trim()))
}

/** Whether a process is our native program: the gateway, a sandbox, or the agent beside an app. */
async function isOurs(pid: number): Promise<boolean> {
  const program = await readlink(`/proc/${pid}/exe`).catch(() => '')
  return /moorage-agent|\/agent$/.test(program)
}

/** Memory that a process really holds, in bytes, its part of what it shares included. */
async function memoryOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024
}

/** Ids of our processes in the engine, of the session that runs in a folder. */
async function oursInEngine(folder: string): Promise<number[]> {
  const { session } = JSON.parse(await readFile(lockFile(folder), 'utf8')) as { session: string }
  const pids = (await Promise.all((await containersOf(session)).map(processesOf))).flat()
  const ours = await Promise.all(pids.map(async (pid) => ((await isOurs(pid)) ? [pid] : [])))
  return ours.flat()
}

async function startObjects(server: DevServer): Promise<void> {
  for (let i = 0; i < OBJECTS; i++) {
    const response = await fetch(new URL(`/shelf/idle-${i}/count`, server.url))
    if (!response.ok) throw new Error(`A shelf did not start: ${response.status}`)
    await response.text()
  }
}

/** Memory in MB, and CPU in percent of a core, of a session with five objects. */
export async function atRest(): Promise<{ memory: Measured; idle: Measured }> {
  if (process.platform !== 'linux') throw new Error('This looks at /proc, which only Linux has.')
  await using projects = await DevProjects.copy('10m')
  await using server = await projects.ours()
  await startObjects(server)
  const inEngine = await oursInEngine(server.folder)
  if (inEngine.length < OBJECTS + 1) throw new Error(`Only ${inEngine.length} processes of ours were found.`)
  const memory = (await Promise.all(inEngine.map(memoryOf))).reduce((sum, bytes) => sum + bytes, 0)

  await new Promise((resolve) => setTimeout(resolve, 5_000))
  const session = [server.child.pid ?? 0, ...(await below(server.child.pid ?? 0)).map(({ pid }) => pid), ...inEngine]
  const cpu = async () =>
    (await Promise.all(session.map((pid) => cpuMs(pid).catch(() => 0)))).reduce((a, b) => a + b, 0)
  const before = await cpu()
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS))
  return { memory: { value: memory / 1e6 }, idle: { value: ((await cpu()) - before) / (IDLE_MS / 100) } }
}
