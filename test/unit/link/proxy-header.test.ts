import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readProxyHeader } from '../../../runtime/link/proxy-header.ts'

const SIGNATURE = '0d0a0d0a000d0a515549540a'
const FLOW = Buffer.from(`${SIGNATURE}2111000c0ad50010010203049c4001bb`, 'hex')

describe('a PROXY protocol v2 header', () => {
  it('gives where a flow comes from and where it wants to go', () => {
    assert.deepEqual(readProxyHeader(Buffer.concat([FLOW, Buffer.from('first bytes')])), {
      source: '10.213.0.16',
      sourcePort: 40_000,
      destination: '1.2.3.4',
      destinationPort: 443,
      headerBytes: 28,
    })
  })

  it('wants more bytes until it is whole', () => {
    for (let length = 0; length < FLOW.length; length++) {
      assert.equal(readProxyHeader(FLOW.subarray(0, length)), undefined, `${length} bytes`)
    }
  })

  it('may have more behind the addresses, which is passed over', () => {
    const longer = Buffer.from(`${SIGNATURE}2111000f0ad50010010203049c4001bb030000`, 'hex')
    assert.equal(readProxyHeader(longer)?.headerBytes, 31)
  })

  it('is refused as soon as the bytes cannot be one', () => {
    const wrong = [
      '47',
      `${SIGNATURE.slice(0, 20)}ff`,
      `${SIGNATURE}1111000c`,
      `${SIGNATURE}2121000c`,
      `${SIGNATURE}2111000b`,
      `${SIGNATURE}2111ffff`,
    ]
    for (const hex of wrong) assert.throws(() => readProxyHeader(Buffer.from(hex, 'hex')), /PROXY protocol header/, hex)
  })
})
