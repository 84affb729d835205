import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { ObjectKey } from '../../../runtime/index.ts'
import { copyProject, type Project } from '../../support/project.ts'
import { type Running, runIn, until } from '../../support/session.ts'

describe('the hooks of a Container whose container a person ends', () => {
  let project: Project
  let running: Running
  before(async () => {
    project = await copyProject('examples/quotes')
    running = await runIn(project.folder)
  })
  after(async () => {
    await running?.[Symbol.asyncDispose]()
    await project?.[Symbol.asyncDispose]()
  })

  const key = (): ObjectKey => running.session.model.objects.find(({ name }) => name === 'alice')!.key
  const hook = (name: string, from: number) =>
    running.events.next(name, (e) => e.type === 'hook' && e.hook === name && e.edge === 'end' && e, from)
  const hooks = (from: number): string[] =>
    running.events.all
      .slice(from)
      .flatMap((e) => (e.type === 'hook' && e.edge === 'begin' && /^on/.test(e.hook) ? [e.hook] : []))

  it('run as after any start when it is restarted', async () => {
    await until('it answers', async () => (await running.fetch('/shelf/alice/quotes/1')).ok)
    const { now } = running.events
    await running.session.object(key()).restart()
    assert.equal((await hook('onStart', now)).error, undefined)
    assert.deepEqual(hooks(now), ['onStop', 'onStart'])
    assert.ok((await running.fetch('/shelf/alice/quotes/2')).ok)
  })

  it('run as after any start when it is destroyed and started', async () => {
    const { now } = running.events
    await running.session.object(key()).destroy()
    await running.session.object(key()).start()
    await hook('onStart', now)
    assert.ok((await running.fetch('/shelf/alice/quotes/3')).ok)
  })
})
