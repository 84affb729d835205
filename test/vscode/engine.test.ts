import assert from 'node:assert/strict'
import { describe } from 'node:test'
import { copyFixture } from '../support/session.ts'
import { Person } from './rig/person.ts'
import { EngineProxy } from './rig/proxy.ts'
import { stepsIn } from './rig/steps.ts'

let proxy: EngineProxy

describe('without an engine', () => {
  const step = stepsIn(async (stack) => {
    const project = stack.use(await copyFixture('desk'))
    proxy = stack.use(await EngineProxy.make())
    return Person.open(project.folder, { 'moorage.engine': proxy.host })
  })

  step('a start says that none answers, and what can be done', async (person) => {
    await person.start()
    await person.sidebar.getByText('No container engine answers.').waitFor()
    await person.status.getByText('Moorage: no engine').waitFor()
    await person.picture('no-engine-dark')
  })

  step('it goes on by itself as soon as one answers', async (person) => {
    await proxy.open()
    await person.session()
    assert.equal(await person.asks('/alice/x'), 200)
    await person.sees('tree', /alice · running/)
  })

  step('one that goes away is told in the status bar', async (person) => {
    await proxy.shut()
    await person.status.getByText('Moorage: engine lost').waitFor()
    await person.picture('engine-lost-dark')
  })

  step('when it is back, objects run again', async (person) => {
    await proxy.open()
    await person.status.getByText(/running/).waitFor()
    for (const until = performance.now() + 30_000; (await person.asks('/alice/x')) !== 200; ) {
      assert(performance.now() < until, 'alice did not answer in 30 s')
    }
    await person.sees('tree', /alice · running/)
  })
})
