import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { age, ago, facts, shortId } from '../../../extension/explorer/words.ts'

const MINUTE = 60_000

describe('ages', () => {
  it('have one unit', () => {
    const written = [1, 59, 60, 60 * 23, 60 * 24, 60 * 50].map((minutes) => age(0, minutes * MINUTE))
    assert.deepEqual(written, ['1m', '59m', '1h', '23h', '1d', '2d'])
  })
  it('begin at a minute', () => {
    assert.equal(age(0, MINUTE - 1), undefined)
    assert.equal(ago(0, MINUTE - 1), 'just now')
    assert.equal(ago(0, MINUTE), '1m ago')
  })
})

describe('ids', () => {
  it('are cut in the middle', () => assert.equal(shortId(`4f1c09e2${'0'.repeat(52)}77ab`), '4f1c09e2…77ab'))
  it('stay whole when short', () => assert.equal(shortId('alice'), 'alice'))
})

describe('facts', () => {
  it('leave out what is not known', () => assert.equal(facts('a', undefined, '', 'b'), 'a · b'))
})
