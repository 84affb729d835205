import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  checkInactivityTimeout,
  checkPort,
  checkSignal,
  exitError,
  refusalError,
  requireArgument,
  toInt32,
  toInt64,
} from '../../../runtime/worker/check.ts'

describe('a 32-bit integer', () => {
  for (const [value, number] of [
    ['9', 9],
    ['x', 0],
    [15.7, 15],
    [-1.5, -1],
    [Number.NaN, 0],
    [Number.POSITIVE_INFINITY, 0],
    [null, 0],
    [true, 1],
  ] as const) {
    it(`is ${number} for ${JSON.stringify(value)}`, () => assert.equal(toInt32(value), number))
  }

  it('refuses what does not fit, a bigint and a symbol', () => {
    const message = 'Value out of range. Must be between -2147483648 and 2147483647 (inclusive).'
    assert.throws(() => toInt32(2 ** 31), { name: 'TypeError', message })
    assert.throws(() => toInt32(9n), { name: 'TypeError', message: 'Cannot convert a BigInt value to a number' })
    assert.throws(() => toInt32(Symbol('x')), {
      name: 'TypeError',
      message: 'Cannot convert a Symbol value to a number',
    })
  })
})

describe('a 64-bit integer', () => {
  it('is cut off', () => assert.equal(toInt64(1.9), 1))
  it('may be a bigint', () => assert.equal(toInt64(5n), 5))
  it('refuses what is no integer', () => {
    for (const value of ['x', Number.NaN, Number.POSITIVE_INFINITY]) {
      assert.throws(() => toInt64(value), { message: 'The value cannot be converted because it is not an integer.' })
    }
  })
  it('refuses what does not fit', () => {
    assert.throws(() => toInt64(1e30), {
      message: 'Value out of range. Must be between -9223372036854775808 and 9223372036854775807 (inclusive).',
    })
  })
})

describe('signals, ports and times', () => {
  it('are 1 to 64', () => {
    assert.deepEqual([1, '9', 64].map(checkSignal), [1, 9, 64])
    for (const value of [0, 65, -1, 'x', null]) {
      assert.throws(() => checkSignal(value), { name: 'RangeError', message: 'Invalid signal number.' })
    }
  })

  it('are 1 to 65535', () => {
    assert.deepEqual([1, '80', 65_535].map(checkPort), [1, 80, 65_535])
    assert.throws(() => checkPort(65_536), { name: 'TypeError', message: 'Invalid port number: 65536' })
    assert.throws(() => checkPort(Number.NaN), { name: 'TypeError', message: 'Invalid port number: 0' })
  })

  it('are more than nothing', () => {
    assert.equal(checkInactivityTimeout(1500), 1500)
    for (const value of [0, -5, 0.5]) {
      assert.throws(() => checkInactivityTimeout(value), {
        name: 'TypeError',
        message: 'setInactivityTimeout() cannot be called with a durationMs <= 0',
      })
    }
  })

  it('may not be left out', () => {
    assert.throws(() => requireArgument([], 'signal', 'integer'), {
      name: 'TypeError',
      message: "Failed to execute 'signal' on 'Container': parameter 1 is not of type 'integer'.",
    })
  })
})

describe('errors', () => {
  it('of an exit have the code in the text and as a number', () => {
    const { message, exitCode } = exitError(7)
    assert.deepEqual([message, exitCode], ['Container exited with unexpected exit code: 7', 7])
  })

  it('of a refusal have its type, cause and whether to try again', () => {
    const error = refusalError({ message: 'm', name: 'RangeError', cause: 'the whole story', retryable: true })
    assert.equal(error.name, 'RangeError')
    assert.equal((error.cause as Error).message, 'the whole story')
    assert.equal((error as { retryable?: boolean }).retryable, true)
  })

  it('of a refusal have nothing that was not said', () => {
    assert.deepEqual(Object.keys(refusalError({ message: 'm' })), [])
  })
})
