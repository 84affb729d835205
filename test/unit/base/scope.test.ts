import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Latch } from '../../../runtime/base/latch.ts'
import { Scope } from '../../../runtime/base/scope.ts'

describe('a scope', () => {
  it('closes what it owns, last first, each after the one before', async () => {
    const scope = new Scope()
    const order: string[] = []
    for (const name of ['first', 'second', 'third']) {
      scope.own(async () => {
        order.push(`${name} begins`)
        await Promise.resolve()
        order.push(`${name} ends`)
      })
    }
    await scope.close()
    assert.deepEqual(order, [
      'third begins',
      'third ends',
      'second begins',
      'second ends',
      'first begins',
      'first ends',
    ])
  })

  it('closes once, however often it is asked', async () => {
    const scope = new Scope()
    let closed = 0
    scope.own(() => {
      closed += 1
    })
    assert.equal(scope.closed, false)
    const first = scope.close()
    assert.equal(scope.closed, true)
    assert.equal(scope.close(), first)
    await first
    assert.equal(closed, 1)
  })

  it('closes all even if some fail, and then says what failed', async () => {
    const scope = new Scope()
    const order: string[] = []
    scope.own(() => void order.push('first'))
    scope.own(() => Promise.reject(new Error('second')))
    scope.own(() => {
      throw new Error('third')
    })
    await assert.rejects(scope.close(), (error: AggregateError) => {
      assert.deepEqual(error.errors.map(String), ['Error: third', 'Error: second'])
      return true
    })
    assert.deepEqual(order, ['first'])
  })

  it('closes at once what is added late, and close() waits for that too', async () => {
    const scope = new Scope()
    await scope.close()
    const late = new Latch()
    let closed = false
    scope.own(async () => {
      await late.promise
      closed = true
    })
    const closing = scope.close()
    late.resolve()
    await closing
    assert.equal(closed, true)
  })

  it('leaves the failure of what is added late to whoever adds it', async () => {
    const scope = new Scope()
    await scope.close()
    scope.own(() => {
      throw new Error('late')
    })
    await scope.close()
  })

  it('gives back what it is asked for, unclosed', async () => {
    const scope = new Scope()
    const order: string[] = []
    scope.own(() => void order.push('kept'))
    const giveBack = scope.own(() => void order.push('given back'))
    giveBack()
    giveBack()
    await scope.close()
    assert.deepEqual(order, ['kept'])
  })
})
