import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { MoorageError } from '../../../runtime/protocol/errors.ts'

describe('an error for people', () => {
  it('has a code, a sentence, and nothing else unless it is given', () => {
    const error = new MoorageError('no-config', 'There is no config.')
    assert.deepEqual(
      [error.name, error.code, error.message, error.advice, error.detail, 'cause' in error],
      ['MoorageError', 'no-config', 'There is no config.', [], {}, false],
    )
  })

  it('keeps what to do, the facts, and what was behind it', () => {
    const cause = new Error('ENOENT')
    const error = new MoorageError('no-config', 'No.', { advice: ['Write one.'], detail: { folder: '/p' }, cause })
    assert.deepEqual([error.advice, error.detail, error.cause], [['Write one.'], { folder: '/p' }, cause])
  })
})
