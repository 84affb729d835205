import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Latch, within } from '../../../runtime/base/latch.ts'

describe('a latch', () => {
  it('settles once, and says so at once', async () => {
    const latch = new Latch<number>()
    assert.equal(latch.settled, false)
    latch.resolve(1)
    assert.equal(latch.settled, true)
    latch.resolve(2)
    latch.reject(new Error('late'))
    assert.equal(await latch.promise, 1)
  })

  it('may be rejected with nobody waiting', async () => {
    const latch = new Latch()
    latch.reject(new Error('no'))
    assert.equal(latch.settled, true)
    await new Promise((resolve) => setImmediate(resolve))
    await assert.rejects(latch.promise, { message: 'no' })
  })
})

describe('within', () => {
  it('gives the value that comes in time, and leaves no timer behind', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    assert.equal(await within(1_000, Promise.resolve('value')), 'value')
    t.mock.timers.runAll()
  })

  it('gives undefined when the time is over, and lets the promise go on', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const latch = new Latch<string>()
    const waiting = within(1_000, latch.promise)
    t.mock.timers.tick(1_000)
    assert.equal(await waiting, undefined)
    latch.resolve('late')
    assert.equal(await latch.promise, 'late')
  })

  it('rejects with the promise', async () => {
    await assert.rejects(within(1_000, Promise.reject(new Error('no'))), { message: 'no' })
  })
})
