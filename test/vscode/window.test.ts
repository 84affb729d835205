import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
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

describe('a window that ends', () => {
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
})
