import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { SECRET_BYTES } from '../../../runtime/protocol/frames.ts'
import { encodeOpening, Kind } from '../../../runtime/protocol/gateway.ts'

describe('the opening of a connection to the gateway', () => {
  it('is magic, version, secret and kind', () => {
    const secret = new Uint8Array(SECRET_BYTES).fill(0xab)
    const hex = Buffer.from(encodeOpening(secret, Kind.PARKED)).toString('hex')
    assert.equal(hex, `4d52474701${'ab'.repeat(SECRET_BYTES)}02`)
  })
})
