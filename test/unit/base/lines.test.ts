import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { LineCutter } from '../../../runtime/base/lines.ts'

const bytes = (text: string): Buffer => Buffer.from(text)

describe('a stream cut into lines', () => {
  it('gives a line when it is whole, without its end', () => {
    const cutter = new LineCutter()
    assert.deepEqual(cutter.push(bytes('one\ntw')), ['one'])
    assert.deepEqual(cutter.push(bytes('o\r\n\nthree')), ['two', ''])
    assert.equal(cutter.end(), 'three')
    assert.equal(cutter.end(), undefined)
  })

  it('is the same however the bytes were cut, in the middle of a character too', () => {
    const text = 'grüße\n✓ 𝄞\n\r\nend'
    for (let size = 1; size < 8; size++) {
      const cutter = new LineCutter()
      const lines: (string | undefined)[] = []
      for (let at = 0; at < bytes(text).length; at += size)
        lines.push(...cutter.push(bytes(text).subarray(at, at + size)))
      lines.push(cutter.end())
      assert.deepEqual(lines, ['grüße', '✓ 𝄞', '', 'end'], `${size} bytes`)
    }
  })

  it('gives a long line in parts, whether or not its end came along', () => {
    for (const end of ['', '\n']) {
      const cutter = new LineCutter(4)
      const lines = cutter.push(bytes(`abcdefghij${end}`))
      const rest = cutter.end()
      if (rest !== undefined) lines.push(rest)
      assert.deepEqual(lines, ['abcd', 'efgh', 'ij'])
    }
  })

  it('holds no more than a line’s length', () => {
    const cutter = new LineCutter(10)
    for (let i = 0; i < 100; i++) cutter.push(bytes('x'.repeat(7)))
    assert.ok((cutter.end() ?? '').length <= 10)
  })

  it('takes what is no text as it can', () => {
    const cutter = new LineCutter()
    assert.deepEqual(cutter.push(Buffer.from([0xff, 0x0a])), ['\ufffd'])
    cutter.push(Buffer.from([0xe2, 0x9c]))
    assert.equal(cutter.end(), '\ufffd')
  })
})
