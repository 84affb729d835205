// However `moorage dev` ends, nothing of it is left: no container, network or volume, no process, no lock.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { Cli } from '../../support/cli.ts'
import { below, cpuMs, docker, filesOf, inEngine, lives } from '../../support/left.ts'
import type { Project } from '../../support/project.ts'
import { root } from '../../support/root.mjs'
import { BUILD_ARGS, copyFixture, until } from '../../support/session.ts'

/** An end takes at most so long, in ms. */
const END_MS = 2_000

/** On a machine under load: so many times what the engine needs to run and remove one container. */
const LOADED_ENDS = 4

/** How long the session is watched at a time while it idles, in ms. */
const IDLE_MS = 4_000

interface Up {
  readonly cli: Cli
  readonly session: string
  readonly pids: number[]
  ask(path: string, init?: RequestInit): Promise<string>
}

describe('moorage dev', () => {
  let project: Project
  const took: number[] = []
  before(async () => {
    project = await copyFixture('box')
  })
  after(() => project?.[Symbol.asyncDispose]())

  /** Runs it until a container answers. */
  async function up(options: Parameters<typeof Cli.start>[1] = {}): Promise<Up> {
    const cli = Cli.start(project.folder, options)
    try {
      const url = await cli.url()
      const ask = async (path: string, init?: RequestInit): Promise<string> => {
        const answer = await fetch(new URL(path, url), init)
        if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
        return answer.text()
      }
      await ask('/Box/one/start', { method: 'POST' })
      const { pid, session } = await cli.lock()
      assert.notDeepEqual(await inEngine(session), [])
      return { cli, session, pids: [pid, ...(await below(pid)).map((process) => process.pid)], ask }
    } catch (error) {
      await cli[Symbol.asyncDispose]()
      throw error
    }
  }

  const livesOf = async (pids: readonly number[]): Promise<number[]> => {
    const there = await Promise.all(pids.map(lives))
    return pids.filter((_, i) => there[i])
  }

  async function leavesNothing({ cli, session, pids }: Up, end: () => void): Promise<void> {
    const began = performance.now()
    end()
    const { code, at } = await cli.ended
    assert.deepEqual(
      { code, engine: await inEngine(session), files: await filesOf(project.folder), processes: await livesOf(pids) },
      { code: 0, engine: [], files: [], processes: [] },
    )
    took.push(at - began)
  }

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    it(`leaves nothing behind after ${signal}`, async () => {
      const running = await up()
      await leavesNothing(running, () => running.cli.child.kill(signal))
    })
  }

  it('leaves nothing behind after q', async () => {
    const running = await up({ terminal: true })
    await leavesNothing(running, () => running.cli.child.stdin!.write('q'))
  })

  it(`ends within ${END_MS} ms`, async () => {
    assert.equal(took.length, 3)
    const began = performance.now()
    await docker(['run', '--rm', '--network', 'none', BUILD_ARGS.BASE ?? 'node:22-alpine', 'true'])
    const limit = Math.max(END_MS, LOADED_ENDS * (performance.now() - began))
    assert.ok(Math.min(...took) < limit, `it took ${took.map(Math.round)} ms, at most ${Math.round(limit)} ms is right`)
  })

  it('uses less than a hundredth of a core while it idles, and outlives being stopped for a second', async () => {
    const running = await up()
    await using _ = running.cli
    const began = await running.ask('/Box/one/port/8080/')
    // esbuild looks at all files of the Worker in turn for wrangler; without us it does the same.
    const [cliPid] = running.pids
    const esbuild = (await below(cliPid!)).filter(({ command }) => command.includes('esbuild')).map(({ pid }) => pid)
    const ours = running.pids.filter((pid) => !esbuild.includes(pid))
    const used = async (): Promise<number> => {
      const times = await Promise.all(ours.map((pid) => cpuMs(pid).catch(() => 0)))
      return times.reduce((sum, time) => sum + time, 0)
    }
    // The warm container and the pool are made up for first, and that takes as long as the machine needs.
    const shares: number[] = []
    await until('it idles', async () => {
      const before = await used()
      await new Promise((resolve) => setTimeout(resolve, IDLE_MS))
      const share = ((await used()) - before) / IDLE_MS
      shares.push(share)
      return share < 0.01
    })
    assert.ok(shares.at(-1)! < 0.01)

    const pid = await running.cli.pid()
    process.kill(pid, 'SIGSTOP')
    await new Promise((resolve) => setTimeout(resolve, 1_000))
    process.kill(pid, 'SIGCONT')
    assert.equal(await running.ask('/Box/one/port/8080/'), began)
    await leavesNothing(running, () => running.cli.child.kill('SIGTERM'))
  })

  it('leaves nothing behind when it is killed, and who has a process in it is told', async () => {
    const running = await up()
    const child = spawn(process.execPath, [join(root, 'dist', 'cli.js'), 'exec', 'one', '--', 'cat'], {
      cwd: project.folder,
    })
    const closed = once(child, 'close')
    let said = ''
    child.stderr.on('data', (bytes) => {
      said += bytes
    })
    child.stdin.write('it runs')
    await once(child.stdout, 'data')
    running.cli.child.kill('SIGKILL')
    await running.cli.ended
    const [code] = await closed
    assert.deepEqual({ code, said }, { code: 137, said: 'The session has ended.\n' })
    await until('everything is gone', async () => {
      const [engine, files, processes] = await Promise.all([
        inEngine(running.session),
        filesOf(project.folder),
        livesOf(running.pids),
      ])
      return engine.length + files.length + processes.length === 0
    })
  })

  it('leaves nothing behind when it is killed while it starts', async () => {
    await using cli = Cli.start(project.folder)
    await until('it has begun', () =>
      cli.lock().then(
        ({ session }) => inEngine(session).then((things) => things.length > 0),
        () => false,
      ),
    )
    const { pid, session } = await cli.lock()
    const pids = [pid, ...(await below(pid)).map((process) => process.pid)]
    cli.child.kill('SIGKILL')
    await cli.ended
    await until('everything is gone', async () => {
      const [engine, files, processes] = await Promise.all([inEngine(session), filesOf(project.folder), livesOf(pids)])
      return engine.length + files.length + processes.length === 0
    })
  })
})
