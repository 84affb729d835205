// What a session survives, and what it leaves behind when it cannot: one session, one loss after the other.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { below, containersOf, docker, filesOf, inEngine, lives } from '../../support/left.ts'
import { type Running, run, until } from '../../support/session.ts'

describe('a session with running containers', () => {
  let running: Running
  before(async () => {
    running = await run('box')
  })
  after(() => running?.[Symbol.asyncDispose]())

  const processOf = async (part: string): Promise<number> => {
    const found = (await below(process.pid)).find(({ command }) => command.includes(part))
    if (!found) throw new Error(`No process ${part} is there.`)
    return found.pid
  }

  it('starts workerd again when it is killed; containers and what objects stored live on', async () => {
    const box = running.box('steady')
    await box.start()
    await box.do('put/kept')
    const { began } = await box.ask('')
    const { id } = await box.do('instance')
    const { now } = running.events
    const [url] = running.session.urls

    const workerd = await processOf('workerd')
    process.kill(workerd, 'SIGKILL')
    await running.events.next(
      'the Worker to be ready again',
      (event) => event.type === 'worker' && event.worker.state === 'ready' && event.worker.url === url,
      now,
    )

    const instance = await box.do('instance')
    assert.notEqual(instance.id, id)
    assert.deepEqual({ ...instance, id: '' }, { id: '', ranAtFirst: true, running: true })
    assert.equal(await box.do('value'), 'kept')
    assert.equal((await box.ask('')).began, began)
    assert.equal(await lives(workerd), false)
  })

  it('replaces a gateway that is killed; containers keep running and answer', async () => {
    const [one, two] = [running.box('steady'), running.box('other')]
    await two.start()
    const began = [(await one.ask('')).began, (await two.ask('')).began]
    const [gateway] = await containersOf(running.session.id, 'gateway')
    await docker(['kill', gateway!])
    await until('a new gateway is there', async () => {
      const [now] = await containersOf(running.session.id, 'gateway')
      return now !== undefined && now !== gateway
    })
    assert.deepEqual([(await one.ask('')).began, (await two.ask('')).began], began)
    assert.equal((await one.ask('tcp?host=1.2.3.4&port=80')).code, 'ECONNREFUSED')
    // Those started after it are no different.
    const three = running.box('late')
    assert.deepEqual(await three.start(), { answers: true })
    await three.do('destroy')
  })

  it('says of a container that was removed from outside what happened, and starts another', async () => {
    const box = running.box('removed')
    await box.start()
    const ended = box.do('end')
    await docker(['rm', '--force', box.containerId])
    assert.deepEqual(await ended, {
      ended: { exitCode: 137, message: 'Container exited with unexpected exit code: 137' },
    })
    assert.deepEqual((await box.end()).reason, { kind: 'removed-outside' })
    assert.deepEqual(await box.start(), { answers: true })
    await box.do('destroy')
  })

  it('ends a container whose agent root in it has killed, says why, and starts another', async () => {
    const box = running.box('killer')
    await box.start()
    const ended = box.do('end')
    const { pids } = await box.ask('agent')
    assert.equal(pids.length, 1)
    // The agent carries the answer, so none comes.
    const answer = box.ask(`kill?pid=${pids[0]}`).catch(() => undefined)
    assert.equal((await ended).ended.exitCode, 137)
    const { reason, message } = await box.end()
    assert.deepEqual(reason, { kind: 'agent-lost' })
    assert.match(message, /ended Moorage’s agent/)
    await answer
    assert.deepEqual(await box.start(), { answers: true })
    await box.do('destroy')
  })

  it('ends with the reason when its wrangler is killed, and leaves nothing behind', async () => {
    const { session, folder } = running
    const workerd = await processOf('workerd')
    process.kill(await processOf('wrangler.js'), 'SIGKILL')
    const error = await session.failed
    assert.match(error.message, /The wrangler child ended by SIGKILL/)
    await session.dispose()
    assert.deepEqual(await inEngine(session.id), [])
    assert.deepEqual(await filesOf(folder), [])
    assert.deepEqual(
      (await below(process.pid)).filter(({ command }) => /wrangler|workerd/.test(command)),
      [],
    )
    assert.equal(await lives(workerd), false)
  })
})
