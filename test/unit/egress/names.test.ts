import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type Duplex, duplexPair } from 'node:stream'
import { describe, it } from 'node:test'
import { answerName, answerNamesOver, emptyAnswer } from '../../../runtime/egress/names.ts'
import { ByteReader } from '../link/sockets.ts'

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex')
const QUESTION = '07 6578616d706c65 03 636f6d 00 0001 0001'

/** A query for the address of example.com, in the middle of memory that others use as well, as Node's own Buffers are. */
function query(text = `1234 0100 0001 0000 0000 0000 ${QUESTION}`): Buffer {
  const shared = Buffer.alloc(4_096, 0xee)
  const bytes = hex(text)
  bytes.copy(shared, 1_000)
  return shared.subarray(1_000, 1_000 + bytes.length)
}

describe('a name asked for without internet', () => {
  it('is answered with "no such name" and the question itself', async () => {
    const answer = await answerName(query(), false, () => Promise.reject(new Error('Somebody was asked.')))
    assert.deepEqual(Buffer.from(answer!), hex(`1234 8183 0001 0000 0000 0000 ${QUESTION}`))
  })

  it('is answered from memory of its own: the query and what lies around it stay as they were', () => {
    const asked = query()
    const around = Buffer.from(Buffer.from(asked.buffer))
    const answer = emptyAnswer(asked, 3)
    assert.notEqual(answer!.buffer, asked.buffer)
    assert.deepEqual(Buffer.from(asked.buffer), around)
  })

  it('keeps what kind of query it was and whether recursion was wanted, and drops what stands behind the question', () => {
    const asked = query(`00ff 2810 0001 0000 0000 0001 ${QUESTION} 00 0029 1000 0000 0000 0000`)
    assert.deepEqual(Buffer.from(emptyAnswer(asked, 5)!), hex(`00ff a885 0001 0000 0000 0000 ${QUESTION}`))
  })

  it('is answered for the root as well', () => {
    const answer = emptyAnswer(query('0001 0100 0001 0000 0000 0000 00 0002 0001'), 3)
    assert.deepEqual(Buffer.from(answer!), hex('0001 8183 0001 0000 0000 0000 00 0002 0001'))
  })
})

describe('what is no query', () => {
  const wrong: Readonly<Record<string, Buffer>> = {
    nothing: Buffer.alloc(0),
    'a part of a header': query().subarray(0, 11),
    'a header without a question': query('1234 0100 0001 0000 0000 0000'),
    'an answer': query(`1234 8100 0001 0000 0000 0000 ${QUESTION}`),
    'no question': query(`1234 0100 0000 0000 0000 0000 ${QUESTION}`),
    'two questions': query(`1234 0100 0002 0000 0000 0000 ${QUESTION} ${QUESTION}`),
    'a name that does not end': query('1234 0100 0001 0000 0000 0000 07 6578616d706c65'),
    'a name that ends with the message': query('1234 0100 0001 0000 0000 0000 07 6578616d706c65 00'),
    'a label that is a pointer': query('1234 0100 0001 0000 0000 0000 c00c 0001 0001'),
    'a label that reaches behind the end': query('1234 0100 0001 0000 0000 0000 3f 61 00 0001 0001'),
    'more than any resolver sends': Buffer.concat([query(), Buffer.alloc(4_096)]),
  }
  for (const [what, bytes] of Object.entries(wrong)) {
    it(`is ${what}: it is not answered`, async () => {
      assert.equal(emptyAnswer(bytes, 3), undefined)
      assert.equal(await answerName(bytes, false), undefined)
    })
  }
})

describe('a name asked for with internet', () => {
  it('is answered by the machine’s resolver, or with "server failure" where that does not answer', async () => {
    assert.deepEqual(await answerName(query(), true, async () => Uint8Array.of(1)), Uint8Array.of(1))
    const failed = await answerName(query(), true, () => Promise.reject(new Error('nothing')))
    assert.equal(failed![3]! & 15, 2)
  })
})

describe('names asked for over TCP', () => {
  const framed = (bytes: Buffer): Buffer => Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes])
  /** Answers each query with itself, upper case. */
  const upper = async (asked: Uint8Array): Promise<Uint8Array> =>
    Buffer.from(Buffer.from(asked).toString().toUpperCase())
  const setUp = (
    rest: Buffer = Buffer.alloc(0),
    answer: typeof answerName = upper,
  ): { client: Duplex; server: Duplex } => {
    const [client, server] = duplexPair()
    server.on('error', () => undefined)
    answerNamesOver(server, rest, () => true, answer)
    return { client, server }
  }

  it('are answered in order, however they are cut, with those that came before', async () => {
    const { client } = setUp(framed(Buffer.from('one')))
    const reader = new ByteReader(client)
    const both = Buffer.concat([framed(Buffer.from('two')), framed(Buffer.from('three'))])
    for (const byte of both) client.write(Buffer.of(byte))
    const expected = Buffer.concat(['ONE', 'TWO', 'THREE'].map((text) => framed(Buffer.from(text))))
    assert.deepEqual(await reader.take(expected.length), expected)
  })

  it('end when the client has ended and all is answered', async () => {
    const { client } = setUp()
    client.end(framed(Buffer.from('last')))
    assert.deepEqual(Buffer.concat(await client.toArray()), framed(Buffer.from('LAST')))
  })

  it('end where a query deserves no answer', async () => {
    const { client, server } = setUp(Buffer.alloc(0), async () => undefined)
    client.write(framed(Buffer.from('x')))
    await once(server, 'close')
  })

  it('end where a query is longer than any resolver’s', async () => {
    const { client, server } = setUp()
    client.write(Buffer.concat([Buffer.from([0xff, 0xff]), Buffer.alloc(4_097)]))
    await once(server, 'close')
  })

  it('are read no further while too many wait', async () => {
    const { client, server } = setUp(Buffer.alloc(0), () => new Promise(() => undefined))
    for (let i = 0; i < 100; i++) client.write(framed(Buffer.from('x')))
    await new Promise((resolve) => setImmediate(resolve))
    assert.equal(server.isPaused(), true)
  })
})
