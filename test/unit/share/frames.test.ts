import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { WireError } from '../../../runtime/protocol/frames.ts'
import { decode, encode } from '../../../runtime/share/frames.ts'

const there = (message: object): unknown => {
  const frame = encode(message)
  return decode(Buffer.from(frame as Buffer), typeof frame !== 'string')
}

describe('a frame', () => {
  it('is JSON where there are no bytes', () => {
    assert.equal(encode({ kind: 'news', value: { text: 'ä' } }), '{"kind":"news","value":{"text":"ä"}}')
    assert.deepEqual(there({ kind: 'answer', id: 1, value: null }), { kind: 'answer', id: 1, value: null })
  })

  it('carries bytes as they are', () => {
    const bytes = Buffer.from([0, 255, 10, 13])
    for (const name of ['args', 'value']) {
      const message = { kind: 'ask', [name]: { process: 'ä', bytes } }
      assert.deepEqual(there(message), message)
    }
    assert.deepEqual(there({ value: { bytes: new Uint8Array(0) } }), { value: { bytes: Buffer.alloc(0) } })
  })

  it('is refused where it is none', () => {
    for (const [bytes, isBinary] of [
      ['{', false],
      ['', true],
      ['\xff\xff\xff\x7f{}', true],
      ['\x02\0\0\0{]', true],
    ] as const) {
      assert.throws(() => decode(Buffer.from(bytes, 'latin1'), isBinary), WireError)
    }
  })
})
