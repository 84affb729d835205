import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import { Cli } from '../support/cli.ts'
import { below, inEngine, lives } from '../support/left.ts'
import { copyFixture, until } from '../support/session.ts'
import { Person } from './rig/person.ts'

/** Resolves when nothing of a session is on the engine, and none of the processes lives. */
async function nothingLeft(session: string, pids: readonly number[]): Promise<void> {
  await until('everything of the session is gone', async () => {
    const things = await inEngine(session)
    const alive = await Promise.all(pids.map(lives))
    return things.length === 0 && !alive.includes(true)
  })
}

describe('a window', () => {
  it('that is loaded anew has ended its session, and starts another one', async () => {
    await using project = await copyFixture('desk')
    await using person = await Person.open(project.folder)
    await person.starts()
    assert.equal(await person.asks('/alice/x'), 200)
    const { id } = await person.session()
    const { pid } = await person.facts()
    const processes = (await below(pid)).map((one) => one.pid)
    await person.reloads()
    await nothingLeft(id, [pid, ...processes])
    await person.sidebar.getByText('Nothing is running yet.').waitFor()
    await person.starts()
    assert.equal(await person.asks('/alice/x'), 200)
    assert.notEqual((await person.session()).id, id)
  })

  it('whose extension host is killed leaves nothing of its session', async () => {
    await using project = await copyFixture('desk')
    await using person = await Person.open(project.folder)
    await person.starts()
    assert.equal(await person.asks('/alice/x'), 200)
    const { id } = await person.session()
    const { pid } = await person.facts()
    const processes = (await below(pid)).map((one) => one.pid)
    assert(processes.length > 1)
    process.kill(pid, 'SIGKILL')
    await nothingLeft(id, [pid, ...processes])
  })

  it('joins a session that runs in a terminal, and leaves it running', async () => {
    await using project = await copyFixture('desk')
    await using cli = Cli.start(project.folder)
    const url = await cli.url()
    assert.equal((await fetch(new URL('/alice/x', url))).status, 200)
    {
      await using person = await Person.open(project.folder)
      await person.starts()
      assert.equal((await person.session()).id, (await cli.lock()).session)
      await person.sees('tree', /alice · running/)
      await person.expands(/^Object alice/)
      await person.presses(/^Object alice/, 'Open Shell')
      await person.types('echo $((6*7))')
      await person.reads(/^42$/m)
      await person.picture('joined-dark')
    }
    assert.equal((await fetch(new URL('/alice/x', url))).status, 200)
    assert((await inEngine((await cli.lock()).session)).length > 0)
  })

  it('with two folders runs two sessions, below a row for each project', async () => {
    await using one = await copyFixture('desk')
    await using other = await copyFixture('watch')
    const workspace = join(dirname(one.folder), 'two.code-workspace')
    await writeFile(workspace, JSON.stringify({ folders: [{ path: one.folder }, { path: other.folder }] }))
    await using person = await Person.open(workspace)
    await person.starts()
    const sessions = await person.sees('sessions', /http.*\n.*http/)
    const urls = [...sessions.matchAll(/http\S+/g)].map(([url]) => url)
    assert.equal((await fetch(new URL('/alice/x', urls[0]))).status, 200)
    assert.equal((await fetch(new URL('/Sleeper/bob/x', urls[1]))).status, 200)
    const text = await person.sees('tree', /alice · running(.|\n)*bob · running/)
    const rows = text.split('\n').filter((line) => /^ {0,4}\S/.test(line))
    assert.deepEqual(
      rows.map((line) => line.replace(/:\d+$/, ':<port>').replace(/ · \d+ % · \d+ MB$/, '')),
      [],
    )
    await person.picture('two-folders-dark')
  })
})
