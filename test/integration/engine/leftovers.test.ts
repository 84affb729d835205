import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { after, before, describe, it } from 'node:test'
import { findEngine } from '../../../runtime/engine/discover.ts'
import type { Engine } from '../../../runtime/engine/engine.ts'
import { LABEL, ownerLabel, sweep, sweepDead, sweepSession } from '../../../runtime/engine/leftovers.ts'

const Image = process.env.MOORAGE_TEST_BASE_BUSYBOX ?? 'busybox'
const sessions: string[] = []

let engine: Engine
before(async () => {
  engine = await findEngine()
})
after(async () => {
  for (const session of sessions) await sweep(engine, session)
  engine.close()
})

/** A session with a network, a sandbox in it, a container in the sandbox, a paused one, and one that never started. */
async function makeSession(owner: string): Promise<string> {
  const session = `test-${randomUUID()}`
  sessions.push(session)
  const Labels = { [LABEL.session]: session, [LABEL.owner]: owner }
  const { id: network } = await engine.createNetwork(`moorage-${session}`, { labels: Labels })
  const container = (NetworkMode: string) =>
    engine.createContainer({ Image, Cmd: ['sleep', '1000'], Labels, HostConfig: { NetworkMode } })
  const sandbox = await container(network)
  await engine.start(sandbox)
  const [app, paused] = await Promise.all([container(`container:${sandbox}`), container('none'), container('none')])
  await Promise.all([app, paused].map((id) => engine.start(id)))
  await engine.pause(paused)
  return session
}

const left = async (session: string) => {
  const label = [`${LABEL.session}=${session}`]
  return (await engine.listContainers(label)).length + (await engine.listNetworks(label)).length
}

describe('sweepSession', () => {
  it('removes all of one session, paused or in use, and nothing of another', async () => {
    const owner = await ownerLabel()
    const [one, other] = await Promise.all([makeSession(owner), makeSession(owner)])
    assert.deepEqual(await sweepSession(engine.address, one), { containers: 4, networks: 1, volumes: 0 })
    assert.equal(await left(one), 0)
    assert.equal(await left(other), 5)
    await sweep(engine, other)
  })

  it('is done by two at once, and again, without complaint', async () => {
    const session = await makeSession(await ownerLabel())
    await Promise.all([sweepSession(engine.address, session), sweep(engine, session)])
    assert.equal(await left(session), 0)
    assert.deepEqual(await sweep(engine, session), { containers: 0, networks: 0, volumes: 0 })
  })

  it('rejects where the engine is not there', async () => {
    await assert.rejects(sweepSession({ socketPath: '/nope.sock' }, 'x'), { code: 'engine-lost' })
  })
})

describe('sweepDead', () => {
  it('removes the sessions whose owner is dead, and no other', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
    const dead = await makeSession(await ownerLabel(child.pid))
    child.kill('SIGKILL')
    await once(child, 'close')
    const living = await makeSession(await ownerLabel())
    const elsewhere = await makeSession('another-machine.00000000:1:1')
    const ownerless = await makeSession('')
    // Another session that starts at this moment may sweep as well, so who did is not looked at.
    await sweepDead(engine)
    assert.deepEqual(await Promise.all([dead, living, elsewhere, ownerless].map(left)), [0, 5, 5, 5])
  })
})
