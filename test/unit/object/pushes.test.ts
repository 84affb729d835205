import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Pushes } from '../../../runtime/object/pushes.ts'

describe('a push', () => {
  const setUp = (fails = false) => {
    const sent: string[] = []
    const pushes = new Pushes(async ({ instance, push: { push, run } }) => {
      sent.push(`${instance} ${push} ${run}`)
      if (fails) throw new Error('gone')
    })
    return { pushes, sent }
  }

  it('is over when the instance says so', async () => {
    const { pushes, sent } = setUp()
    const first = pushes.run('a', { run: 'alarm' })
    const second = pushes.run('a', { run: 'onActivityExpired' })
    pushes.ran('a', 2, undefined)
    await second
    pushes.ran('a', 1, undefined)
    await first
    assert.deepEqual(sent, ['a 1 alarm', 'a 2 onActivityExpired'])
  })

  it('fails with what the hook threw', async () => {
    const { pushes } = setUp()
    const run = pushes.run('a', { run: 'alarm' })
    pushes.ran('a', 1, 'no luck')
    await assert.rejects(run, { code: 'worker-failed', message: 'no luck' })
  })

  it('is answered by nobody else', async () => {
    const { pushes } = setUp()
    const run = pushes.run('a', { run: 'alarm' })
    pushes.ran('b', 1, undefined)
    pushes.ran('a', 7, undefined)
    pushes.gone('b')
    pushes.ran('a', 1, 'at last')
    await assert.rejects(run, { message: 'at last' })
  })

  it('fails when the instance goes, or cannot be reached', async () => {
    const { pushes } = setUp()
    const run = pushes.run('a', { run: 'alarm' })
    pushes.gone('a')
    await assert.rejects(run, { code: 'object-asleep' })
    await assert.rejects(setUp(true).pushes.run('a', { run: 'alarm' }), { code: 'object-asleep' })
  })
})
