import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Latch } from '../../../runtime/base/latch.ts'
import type { Prepared } from '../../../runtime/object/prepared.ts'
import { WarmContainer } from '../../../runtime/object/warm.ts'
import { type FakeContainer, fakeContainer, settled } from './fakes.ts'

/** Containers are made when the test says so: the n-th by `made[n]`. */
function setUp() {
  const made: Latch<Prepared>[] = []
  const problems: unknown[] = []
  const warm = new WarmContainer({
    prepare: () => {
      const latch = new Latch<Prepared>()
      made.push(latch)
      return latch.promise
    },
    onProblem: (error) => problems.push(error),
  })
  const make = async (index: number): Promise<FakeContainer> => {
    const box = fakeContainer(`box${index}`)
    made[index]?.resolve(box.prepared)
    await settled()
    return box
  }
  const fail = async (index: number): Promise<void> => {
    made[index]?.reject(new Error('no'))
    await settled()
  }
  return { warm, made, make, fail, problems }
}

describe('a warm container', () => {
  it('is one at a time, however often it is asked for', async () => {
    const { warm, made, make } = setUp()
    warm.warm()
    warm.warm()
    await make(0)
    warm.warm()
    assert.equal(made.length, 1)
  })

  it('is taken once; the next start finds none until it is made up for', async () => {
    const { warm, make } = setUp()
    warm.warm()
    const box = await make(0)
    assert.equal(await warm.take(), box.prepared)
    assert.equal(await warm.take(), undefined)
    assert.equal(box.closed, 0)
  })

  it('is waited for where it is just being made', async () => {
    const { warm, make } = setUp()
    warm.warm()
    const taken = warm.take()
    const box = await make(0)
    assert.equal(await taken, box.prepared)
    assert.equal(box.closed, 0)
  })

  it('is none where its making fails while a start waits for it', async () => {
    const { warm, fail, problems } = setUp()
    warm.warm()
    const taken = warm.take()
    await fail(0)
    assert.equal(await taken, undefined)
    assert.equal(problems.length, 1)
  })

  it('is made up for when it ends by itself', async () => {
    const { warm, made, make } = setUp()
    warm.warm()
    const box = await make(0)
    box.exit.resolve({ exitCode: 137, error: undefined })
    await settled()
    assert.equal(box.closed, 1)
    assert.equal(made.length, 2)
  })

  it('that was taken is its taker’s: its end says nothing about the next one', async () => {
    const { warm, made, make } = setUp()
    warm.warm()
    const taken = warm.take()
    const box = await make(0)
    await taken
    warm.warm()
    box.exit.resolve({ exitCode: 0, error: undefined })
    await settled()
    const next = await make(1)
    assert.equal(box.closed, 0)
    assert.equal(made.length, 2)
    assert.equal(await warm.take(), next.prepared)
    assert.equal(next.closed, 0)
  })
})

describe('failures', () => {
  it('are told, and after two in a row it is left to the next start to say why', async () => {
    const { warm, made, fail, problems } = setUp()
    for (const index of [0, 1]) {
      warm.warm()
      await fail(index)
    }
    warm.warm()
    assert.equal(made.length, 2)
    assert.equal(problems.length, 2)
  })

  it('are forgotten when what caused them is over', async () => {
    const { warm, made, fail } = setUp()
    for (const index of [0, 1]) {
      warm.warm()
      await fail(index)
    }
    warm.revive()
    assert.equal(made.length, 3)
  })

  it('are forgotten with the image that caused them', async () => {
    const { warm, made, fail } = setUp()
    for (const index of [0, 1]) {
      warm.warm()
      await fail(index)
    }
    await warm.discard()
    warm.warm()
    assert.equal(made.length, 3)
  })
})

describe('discard and close', () => {
  it('remove the one that is there', async () => {
    const { warm, made, make } = setUp()
    warm.warm()
    const box = await make(0)
    await warm.discard()
    assert.equal(box.closed, 1)
    warm.warm()
    assert.equal(made.length, 2)
  })

  it('wait until the one that is being made is removed', async () => {
    const { warm, made } = setUp()
    warm.warm()
    const removing = new Latch()
    const box = fakeContainer('box', [], removing.promise)
    let closed = false
    const closing = warm.close().then(() => {
      closed = true
    })
    made[0]?.resolve(box.prepared)
    await settled()
    assert.deepEqual([box.closed, closed], [1, false])
    removing.resolve()
    await closing
  })

  it('leave alone what was taken', async () => {
    const { warm, make } = setUp()
    warm.warm()
    const taken = warm.take()
    await warm.close()
    const box = await make(0)
    assert.equal(await taken, box.prepared)
    assert.equal(box.closed, 0)
  })

  it('make none any more after close', async () => {
    const { warm, made } = setUp()
    await warm.close()
    warm.warm()
    warm.revive()
    assert.equal(made.length, 0)
  })
})
