import assert from 'node:assert/strict'
import { it } from 'node:test'
import { about } from '../support/contract/object.ts'

about('running', 'running', (ask) => {
  it('is false before any start', async () => {
    assert.equal(await ask('beforeStart'), false)
  })

  it('becomes true as start() is called', async () => {
    assert.equal(await ask('asStartReturns'), true)
  })

  it('is false when the root process has ended, though nobody called monitor()', async () => {
    assert.equal(await ask('afterTheEnd'), false)
  })

  it('is false when monitor() has settled', async () => {
    assert.equal(await ask('afterTheEndWithMonitor'), false)
  })

  it('cannot be assigned', async () => {
    assert.equal(await ask('isReadOnly'), false)
  })
})
