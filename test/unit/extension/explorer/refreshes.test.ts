import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Refreshes } from '../../../../extension/explorer/refreshes.ts'
import type { Target } from '../../../../extension/explorer/target.ts'
import { objectKey } from '../../../../runtime/protocol/model.ts'

const NONE = () => 0
const CLASS: Target = { kind: 'class', folder: 'f', className: 'Sandbox' }
const target = (name: string | number): Target => ({
  kind: 'object',
  folder: 'f',
  object: objectKey('Sandbox', `${name}`),
})

describe('refreshes', () => {
  it('are told at once after a pause, and then in one go', () => {
    const refreshes = new Refreshes()
    const [a, b, c] = [target('a'), target('b'), target('c')]
    refreshes.add([a])
    assert.deepEqual(refreshes.take(1000, NONE), [a])
    refreshes.add([b, c])
    refreshes.add([b])
    assert.deepEqual(refreshes.take(1100, NONE), [])
    assert.equal(refreshes.dueAt(NONE), 1250)
    assert.deepEqual(refreshes.take(1250, NONE), [b, c])
    assert.equal(refreshes.dueAt(NONE), undefined)
  })

  it('of rows with many below them come more seldom, unless someone waits', () => {
    const refreshes = new Refreshes()
    const thousand = (one: Target | undefined) => (one === CLASS ? 1000 : 0)
    refreshes.add([CLASS])
    assert.deepEqual(refreshes.take(0, thousand), [CLASS])
    const a = target('a')
    refreshes.add([CLASS, a])
    assert.deepEqual(refreshes.take(250, thousand), [a])
    assert.equal(refreshes.dueAt(thousand), 2000)
    refreshes.hurry()
    assert.deepEqual(refreshes.take(500, thousand), [CLASS])
  })

  it('of all take along what waits', () => {
    const refreshes = new Refreshes()
    refreshes.add([target('a'), undefined, CLASS])
    assert.deepEqual(refreshes.take(0, NONE), [undefined])
    assert.equal(refreshes.dueAt(NONE), undefined)
  })

  it('are not all told at once when they are very many', () => {
    const refreshes = new Refreshes()
    refreshes.add(Array.from({ length: 300 }, (_, at) => target(at)))
    assert.equal(refreshes.take(0, NONE).length, 250)
    assert.equal(refreshes.take(250, NONE).length, 50)
  })
})
