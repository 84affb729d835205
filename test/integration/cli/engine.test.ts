// An engine that stops or dies in the middle, and comes back. It is an engine of the test's own.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { Cli } from '../../support/cli.ts'
import { filesOf, inEngine } from '../../support/left.ts'
import type { Project } from '../../support/project.ts'
import { canHaveSecondEngine, SecondEngine } from '../../support/second-engine.ts'
import { BUILD_ARGS, copyFixture, until } from '../../support/session.ts'

const can = await canHaveSecondEngine()

describe('moorage dev whose engine goes away', { skip: can ? false : 'it needs root and dockerd' }, () => {
  let engine: SecondEngine
  let project: Project
  let cli: Cli
  let url: string

  const start = (): Cli => Cli.start(project.folder, { under: engine.under, env: { DOCKER_HOST: engine.host } })
  const post = async (path: string, body?: object) =>
    engine.post(`${url.replace(/\/$/, '')}${path}`, body && JSON.stringify(body))
  const answers = async (name: string): Promise<boolean> => (await post(`/Box/${name}/port/8080/`)).status === 200

  before(async () => {
    project = await copyFixture('box')
    engine = await SecondEngine.open()
    if (BUILD_ARGS.BASE) await engine.copyImage(BUILD_ARGS.BASE)
    cli = start()
    url = await cli.url()
  })
  after(async () => {
    await cli?.[Symbol.asyncDispose]()
    await engine?.[Symbol.asyncDispose]()
    await project?.[Symbol.asyncDispose]()
  })

  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    it(`says so after ${signal}, keeps the Worker serving, and goes on when the engine is back`, async () => {
      assert.deepEqual(JSON.parse((await post('/Box/one/start')).text), { answers: true })
      await post('/Box/one/put/kept')
      const from = cli.output.length
      await engine.end(signal)
      await cli.line(
        /The container engine at .* no longer answers\. Moorage goes on by itself as soon as it does\./,
        from,
      )
      await cli.line(
        /Box\/one: (The container engine stopped, and the container with it|Someone stopped, killed or removed)/,
        from,
      )
      assert.equal((await post('/')).text, 'hello')
      assert.equal((await post('/Box/one/value')).text, 'kept')
      // A start fails, for a reason that names the engine.
      const { ended } = JSON.parse((await post('/Box/two/start')).text)
      assert.equal(ended.message, 'Container failed to start')
      assert.match(ended.cause, /engine/)

      await engine.start()
      await until('the object starts again', async () => (await post('/Box/one/start')).text === '{"answers":true}')
      assert.equal(await answers('one'), true)
      assert.equal((await post('/Box/one/port/8080/tcp?host=1.2.3.4&port=80')).text.includes('ECONNREFUSED'), true)
      await post('/Box/one/destroy')
    })
  }

  it('leaves nothing behind in the end', async () => {
    const { session } = await cli.lock()
    cli.child.kill('SIGTERM')
    assert.equal((await cli.ended).code, 0)
    assert.deepEqual(await filesOf(project.folder), [])
    // An engine that was killed may take a while to be done with what ran when it was.
    await until('everything is gone', async () => (await inEngine(session, engine.host)).length === 0)
  })

  it('ends without it, and what the engine finds when it is back goes with the next session', async () => {
    await cli[Symbol.asyncDispose]()
    cli = start()
    url = await cli.url()
    assert.deepEqual(JSON.parse((await post('/Box/one/start')).text), { answers: true })
    const { session } = await cli.lock()
    await engine.end('SIGKILL')
    const from = cli.output.length
    cli.child.kill('SIGTERM')
    assert.equal((await cli.ended).code, 0, cli.output.slice(from))
    assert.deepEqual(await filesOf(project.folder), [])
    await engine.start()
    cli = start()
    url = await cli.url()
    await until('it is gone', async () => (await inEngine(session, engine.host)).length === 0)
    assert.deepEqual(JSON.parse((await post('/Box/one/start')).text), { answers: true })
  })
})
