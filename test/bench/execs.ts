/** What exec costs, against `docker exec` in the same container. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import type { ObjectKey } from '../../runtime/index.ts'
import { below } from '../support/left.ts'
import type { Measured } from './bounds.ts'
import { interleave, took } from './interleave.ts'
import type { BenchSession } from './running.ts'

const MIB = 1_048_576
const HUNDRED = 100
const LARGE_MIB = 256
const TWO_MIB = 64
const STALLED_MIB = 1_024
/** Long enough for everything to be full that will be. */
const STALL_MS = 3_000

/** Runs with a started object, the engine's id of its container, and its key. */
export async function withContainer<T>(
  bench: BenchSession,
  use: (
    ask: (method: string, query?: Record<string, string>) => Promise<number>,
    container: string,
    key: ObjectKey,
  ) => Promise<T>,
): Promise<T> {
  const name = bench.newName()
  await bench.ask('Small', name, 'start')
  const object = bench.session.model.objects.find((one) => one.name === name)
  if (object?.container.state !== 'running') throw new Error('The container does not run.')
  try {
    const ask = (method: string, query?: Record<string, string>) => bench.ask<number>('Small', name, method, query)
    return await use(ask, object.container.containerId, object.key)
  } finally {
    await bench.ask('Small', name, 'destroy')
  }
}

/** `docker exec` of a command; what it writes goes through a pipe of ours, `input` bytes into it. */
async function dockerExec(container: string, command: readonly string[], inputBytes = 0): Promise<void> {
  const args = ['exec', ...(inputBytes > 0 ? ['-i'] : []), container, ...command]
  const child = spawn('docker', args, { stdio: ['pipe', 'pipe', 'ignore'] })
  child.stdout.resume()
  const closed = once(child, 'close')
  const chunk = Buffer.alloc(MIB / 4)
  for (let sent = 0; sent < inputBytes; sent += chunk.length) {
    if (!child.stdin.write(chunk)) await once(child.stdin, 'drain')
  }
  child.stdin.end()
  const [code] = (await closed) as [number]
  if (code !== 0) throw new Error(`docker exec ended with ${code}.`)
}

export const execOne = (bench: BenchSession): Promise<Measured> =>
  withContainer(bench, (ask, container) =>
    interleave(
      21,
      3,
      async () => (await ask('execs', { count: '20' })) / 20,
      () => took(() => dockerExec(container, ['true'])),
    ),
  )

export const execHundred = (bench: BenchSession): Promise<Measured> =>
  withContainer(bench, (ask, container) =>
    interleave(
      3,
      1,
      () => ask('execsAtOnce', { count: String(HUNDRED) }),
      () => took(() => Promise.all(Array.from({ length: HUNDRED }, () => dockerExec(container, ['true'])))),
    ),
  )

export const execOut = (bench: BenchSession): Promise<Measured> =>
  withContainer(bench, (ask, container) =>
    interleave(
      5,
      1,
      () => ask('readOut', { mib: String(LARGE_MIB) }),
      () => took(() => dockerExec(container, ['head', '-c', String(LARGE_MIB * MIB), '/dev/zero'])),
    ),
  )

export const execIn = (bench: BenchSession): Promise<Measured> =>
  withContainer(bench, (ask, container) =>
    interleave(
      5,
      1,
      () => ask('writeIn', { mib: String(LARGE_MIB) }),
      () => took(() => dockerExec(container, ['wc', '-c'], LARGE_MIB * MIB)),
    ),
  )

export const execTwo = (bench: BenchSession): Promise<Measured> =>
  withContainer(bench, (ask) =>
    interleave(
      7,
      1,
      () => ask('readTwo', { mib: String(TWO_MIB), atOnce: 'true' }),
      () => ask('readTwo', { mib: String(TWO_MIB), atOnce: 'false' }),
    ),
  )

/** Memory of this process, which holds the runtime, and of all below it, workerd included, in bytes. */
async function memory(): Promise<number> {
  const pids = [process.pid, ...(await below(process.pid)).map(({ pid }) => pid)]
  const sizes = pids.map(async (pid) => {
    const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024
  })
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)
}

export const execMemory = (bench: BenchSession): Promise<Measured> =>
  withContainer(bench, async (ask) => {
    await ask('readOut', { mib: '64' })
    globalThis.gc?.()
    const before = await memory()
    await ask('stall', { mib: String(STALLED_MIB) })
    await new Promise((resolve) => setTimeout(resolve, STALL_MS))
    globalThis.gc?.()
    const after = await memory()
    await ask('unstall')
    return { value: (after - before) / MIB }
  })
