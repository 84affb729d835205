import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { makeSecret, sameSecret } from '../../../runtime/base/secret.ts'
import { SECRET_BYTES } from '../../../runtime/protocol/frames.ts'

describe('a secret', () => {
  it('is as long as the wires say, and never twice the same', () => {
    assert.equal(makeSecret().length, SECRET_BYTES)
    assert.notDeepEqual(makeSecret(), makeSecret())
  })

  it('is the same only where every byte is, and the length', () => {
    const secret = makeSecret()
    assert.equal(sameSecret(secret, Uint8Array.from(secret)), true)
    assert.equal(sameSecret(secret, secret.subarray(1)), false)
    const other = Uint8Array.from(secret)
    other[31] = (other[31] ?? 0) ^ 1
    assert.equal(sameSecret(secret, other), false)
  })
})
