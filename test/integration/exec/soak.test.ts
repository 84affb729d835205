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

/** Connections that are kept for the next request, each seen at both ends; no exec adds to them. */
const SPARE_FILES = 64
/** What garbage may lie about in each process, in MiB; 4,000 execs that each kept 16 KiB would be over it. */
const SPARE_MIB = 64

/** Open files and memory of this process, which has the relay in it, and of workerd. */
interface Size {
  readonly files: number
  readonly mib: number
}

describe('5,000 short execs', { skip: platform() !== 'linux' && 'counts in /proc' }, () => {
  let running: Running
  before(async () => {
    running = await run('exec')
    for (const name of OBJECTS) await running.text(`/${name}/start`)
  })
  after(() => running?.[Symbol.asyncDispose]())

  const many = async (count: number): Promise<string[]> => {
    const told = await Promise.all(
      OBJECTS.map((name) => running.text(`/${name}/many?count=${count / OBJECTS.length}&at=${AT_ONCE}`)),
    )
    return told.flatMap((text) => JSON.parse(text) as string[])
  }

  const processes = async (): Promise<number[]> => {
    const workerds = (await below(process.pid)).filter(({ command }) => command.includes('workerd'))
    return [process.pid, ...workerds.map(({ pid }) => pid)]
  }

  const sizes = async (pids: readonly number[]): Promise<Size[]> => {
    globalThis.gc?.()
    return Promise.all(pids.map(sizeOf))
  }

  it('all do what they should, and leave nothing', { timeout: 240_000 }, async () => {
    assert.deepEqual(await many(FIRST), [])
    const pids = await processes()
    const first = await sizes(pids)

    assert.deepEqual(await many(MORE), [])
    for (const name of OBJECTS) {
      await until(`no process is left in ${name}`, async () => {
        const left = JSON.parse(await running.text(`/${name}/left`)) as string[]
        return left.every((process) => process.startsWith('(agent)'))
      })
    }
    // Connections close and garbage is collected in their own time.
    let grown: string[] = []
    const settled = async () => {
      grown = (await sizes(pids)).flatMap((now, i) => growth(first[i] as Size, now))
      return grown.length === 0
    }
    await until('nothing has grown', settled, 20_000).catch(() => {})
    assert.deepEqual(grown, [])
  })
})

function growth(then: Size, now: Size): string[] {
  return [
    ...(now.files > then.files + SPARE_FILES ? [`files: ${then.files}, then ${now.files}`] : []),
    ...(now.mib > then.mib + SPARE_MIB ? [`MiB: ${then.mib}, then ${now.mib}`] : []),
  ]
}

async function sizeOf(pid: number): Promise<Size> {
  const [files, status] = await Promise.all([readdir(`/proc/${pid}/fd`), readFile(`/proc/${pid}/status`, 'utf8')])
  return { files: files.length, mib: Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024) }
}
