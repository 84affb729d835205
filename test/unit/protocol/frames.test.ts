import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { encodeFrame, FrameReader, HEADER_BYTES, MAX_PAYLOAD_BYTES } from '../../../runtime/protocol/frames.ts'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** Frames of lengths that matter, and random ones; the numbers only look random. */
function frames(): { type: number; id: number; payload: Uint8Array }[] {
  let state = 1
  const roll = (upTo: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return (state >>> 8) % upTo
  }
  const lengths = [0, 1, 2, MAX_PAYLOAD_BYTES, 0, 300, ...Array.from({ length: 40 }, () => roll(500))]
  return lengths.map((length, i) => ({
    type: roll(256),
    id: i === 0 ? 0xffff_ffff : roll(1_000_000),
    payload: Uint8Array.from({ length }, () => roll(256)),
  }))
}

describe('a frame', () => {
  it('is its length, type and id, little endian, and the payload', () => {
    assert.equal(hex(encodeFrame(35, 0x0102_0304, Uint8Array.of(0xaa, 0xbb))), '020000002304030201aabb')
    assert.equal(hex(encodeFrame(1, 0)), '000000000100000000')
  })

  it('has no payload over the cap', () => {
    assert.equal(encodeFrame(1, 0, new Uint8Array(MAX_PAYLOAD_BYTES)).length, HEADER_BYTES + MAX_PAYLOAD_BYTES)
    assert.throws(() => encodeFrame(1, 0, new Uint8Array(MAX_PAYLOAD_BYTES + 1)), RangeError)
  })
})

describe('a reader', () => {
  const sent = frames()
  const stream = Buffer.concat(sent.map(({ type, id, payload }) => encodeFrame(type, id, payload)))

  for (const step of [1, 3, 9, 100, 4_096, stream.length]) {
    it(`gives the same frames from pieces of ${step} bytes`, () => {
      const reader = new FrameReader()
      const read: { type: number; id: number; payload: string }[] = []
      for (let at = 0; at < stream.length; at += step) {
        for (const frame of reader.push(stream.subarray(at, at + step)))
          read.push({ ...frame, payload: hex(frame.payload) })
      }
      assert.deepEqual(
        read,
        sent.map((frame) => ({ ...frame, payload: hex(frame.payload), at: 0 })),
      )
    })

    it(`hands the frames of one type on in parts from pieces of ${step} bytes, without a gap, and the others whole`, () => {
      const inParts = sent[3]?.type
      const reader = new FrameReader(inParts)
      const read: { type: number; id: number; payload: string }[] = []
      for (let at = 0; at < stream.length; at += step) {
        for (const { type, id, payload, at: before } of reader.push(stream.subarray(at, at + step))) {
          const last = read.at(-1)
          if (before === 0) read.push({ type, id, payload: hex(payload) })
          else {
            assert.deepEqual([type, id, before], [inParts, last?.id, (last?.payload.length ?? 0) / 2])
            if (last !== undefined) last.payload += hex(payload)
          }
        }
      }
      assert.deepEqual(
        read,
        sent.map((frame) => ({ ...frame, payload: hex(frame.payload) })),
      )
    })
  }

  it('hands on what there is of a frame in parts, and holds none of it', () => {
    const reader = new FrameReader(7)
    const bytes = encodeFrame(7, 1, Buffer.from('abcdef'))
    const parts = [9, 10, 13].map((end, i, ends) => reader.push(bytes.subarray(ends[i - 1] ?? 0, end)))
    assert.deepEqual(
      parts.map((frames) => frames.map(({ at, payload }) => `${at} ${Buffer.from(payload)}`)),
      [[], ['0 a'], ['1 bcd']],
    )
  })

  it('throws as soon as a length is over the cap, before the payload comes', () => {
    const header = Buffer.from('010001002000000000', 'hex')
    assert.throws(() => new FrameReader().push(header), {
      name: 'WireError',
      message: 'A frame of 65537 bytes came; 65536 is the most.',
    })
  })

  it('throws for a length that would be negative in other languages', () => {
    assert.throws(() => new FrameReader().push(Buffer.from('ffffffff0000000000', 'hex')), { name: 'WireError' })
  })

  it('does not keep hold of the bytes that it was given', () => {
    const reader = new FrameReader()
    const chunk = Buffer.from(encodeFrame(1, 2, Buffer.from('abc')).subarray(0, 10))
    reader.push(chunk)
    chunk.fill(0)
    const [frame] = reader.push(Buffer.from('bc'))
    assert.equal(Buffer.from(frame?.payload ?? []).toString(), 'abc')
  })
})
