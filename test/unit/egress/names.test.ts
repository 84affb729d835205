import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { answerName, emptyAnswer } from '../../../runtime/egress/names.ts'

/** A query for the address of example.com, in the middle of memory that others use as well, as Node's own Buffers are. */
function query(): Buffer {
  const text = '1234 0100 0001 0000 0000 0000 07 6578616d706c65 03 636f6d 00 0001 0001'.replaceAll(' ', '')
  const shared = Buffer.alloc(4_096, 0xee)
  const bytes = Buffer.from(text, 'hex')
  bytes.copy(shared, 1_000)
  return shared.subarray(1_000, 1_000 + bytes.length)
}

describe('a name asked for without internet', () => {
  it('is answered with "no such name" and the question itself', async () => {
    const answer = await answerName(query(), false, () => Promise.reject(new Error('Somebody was asked.')))
    const expected = Buffer.from(query())
    expected.writeUInt16BE(0x8183, 2)
    assert.deepEqual(Buffer.from(answer!), expected)
  })

  it('is answered from memory of its own: the query and what lies around it stay as they were', () => {
    const asked = query()
    const around = Buffer.from(Buffer.from(asked.buffer))
    const answer = emptyAnswer(asked, 3)
    assert.notEqual(answer!.buffer, asked.buffer)
    assert.deepEqual(Buffer.from(asked.buffer), around)
  })

  it('is not answered where it is no query', () => {
    const answered = query()
    answered[2] = 0x81
    assert.equal(emptyAnswer(answered, 3), undefined)
    assert.equal(emptyAnswer(query().subarray(0, 20), 3), undefined)
  })
})

describe('a name asked for with internet', () => {
  it('is answered by the machine’s resolver, or with "server failure" where that does not answer', async () => {
    assert.deepEqual(await answerName(query(), true, async () => Uint8Array.of(1)), Uint8Array.of(1))
    const failed = await answerName(query(), true, () => Promise.reject(new Error('nothing')))
    assert.equal(failed![3]! & 15, 2)
  })
})
