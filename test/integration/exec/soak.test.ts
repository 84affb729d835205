// Thousands of short execs of every kind leave nothing: no process, no zombie, no open file, no growth.
import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { platform } from 'node:os'
import { after, before, describe, it } from 'node:test'
import { below } from '../../support/left.ts'
import { type Running, run, until } from '../../support/session.ts'

const OBJECTS = ['one', 'two']
/** At once in one container. */
const AT_ONCE = 24
const FIRST = 1_000
const MORE = 4_000

/** Connections that are kept for the next request; no exec adds to them. */
const SPARE_FILES = 64
/**
 * Of memory, in this process (the relay, the session's events) and in workerd, which collects garbage late: 424 MiB were
 * seen after these 4,000, and 60 MiB more in workerd after another 12,000. A window of output kept for each would be more.
 */
const SPARE_MIB = 640

describe('5,000 short execs', { skip: platform() !== 'linux' && 'counts in /proc' }, () => {
  let running: Running
  before(async () => {
    running = await run('exec')
    for (const name of OBJECTS) await running.text(`/${name}/start`, { method: 'POST' })
  })
  after(() => running?.[Symbol.asyncDispose]())

  const many = async (count: number): Promise<string[]> => {
    const ask = (name: string) => `/${name}/many?count=${count / OBJECTS.length}&at=${AT_ONCE}`
    const told = await Promise.all(OBJECTS.map((name) => running.text(ask(name), { method: 'POST' })))
    return told.flatMap((text) => JSON.parse(text) as string[])
  }

  /** Open files and memory of this process and of workerd. */
  const sizes = async () => {
    const workerds = (await below(process.pid)).filter(({ command }) => command.includes('workerd'))
    const each = await Promise.all([process.pid, ...workerds.map(({ pid }) => pid)].map(sizeOf))
    return {
      files: each.reduce((sum, { files }) => sum + files, 0),
      mib: each.reduce((sum, { mib }) => sum + mib, 0),
    }
  }

  it('all do what they should, and leave nothing', { timeout: 240_000 }, async () => {
    assert.deepEqual(await many(FIRST), [])
    const first = await sizes()

    assert.deepEqual(await many(MORE), [])
    for (const name of OBJECTS) {
      await until(`no process is left in ${name}`, async () => {
        const left = JSON.parse(await running.text(`/${name}/left`)) as string[]
        return left.every((process) => process.startsWith('(agent)'))
      })
    }
    const bounds = { files: first.files + SPARE_FILES, mib: first.mib + SPARE_MIB }
    // Connections close, and garbage is collected, in their own time.
    let grown: string[] = []
    const settled = async () => {
      const now = Object.entries(await sizes())
      grown = now
        .filter(([name, size]) => size > bounds[name as keyof typeof bounds])
        .map(([name, size]) => `${name} ${size}`)
      return grown.length === 0
    }
    await until('nothing has grown', settled, 20_000).catch(() => {})
    assert.deepEqual(grown, [], `at most ${JSON.stringify(bounds)}`)
  })
})

async function sizeOf(pid: number): Promise<{ files: number; mib: number }> {
  const [files, status] = await Promise.all([readdir(`/proc/${pid}/fd`), readFile(`/proc/${pid}/status`, 'utf8')])
  return { files: files.length, mib: Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024) }
}
