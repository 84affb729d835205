import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ContainerWatch } from '../../../runtime/object/watch.ts'

describe('what is heard of a container', () => {
  it('is told to whom it concerns', async () => {
    const watch = new ContainerWatch()
    const a = watch.watch('a')
    const b = watch.watch('b')
    watch.linkDown('a')
    watch.outOfMemory('b')
    watch.linkDown('nobody')
    watch.silent('a')
    await Promise.all([a.linkDown, a.silent])
    assert.deepEqual([a.oom.settled, b.oom.settled], [false, true])
  })

  it('ends with forget(): nobody waits for a link for ever', async () => {
    const watch = new ContainerWatch()
    const a = watch.watch('a')
    a.forget()
    await Promise.all([a.linkDown, a.silent])
    watch.outOfMemory('a')
    assert.equal(a.oom.settled, false)
  })
})
