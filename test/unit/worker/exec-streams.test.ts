import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { feed, Output } from '../../../runtime/worker/exec-streams.ts'

const bytes = (text: string) => new TextEncoder().encode(text)

/** A sink that keeps what it is given, and fails at a word. */
function sink(failsAt?: string) {
  const heard: string[] = []
  const writable = new WritableStream({
    write(chunk: Uint8Array) {
      const text = new TextDecoder().decode(chunk)
      if (text === failsAt) throw new Error('no more')
      heard.push(text)
    },
    close: () => void heard.push('closed'),
    abort: (reason: Error) => void heard.push(`aborted: ${reason.message}`),
  })
  return { writable, heard }
}

function source(words: string[], type?: 'bytes') {
  const heard: string[] = []
  const readable = new ReadableStream({
    ...(type && { type }),
    pull(controller: ReadableByteStreamController) {
      const word = words.shift()
      if (word === 'broken') controller.error(new Error('broken off'))
      else if (word !== undefined) controller.enqueue(bytes(word))
      else {
        controller.close()
        controller.byobRequest?.respond(0)
      }
    },
    cancel: (reason: Error) => void heard.push(`cancelled: ${reason.message}`),
  } as never)
  return { readable, heard }
}

describe('feed', () => {
  for (const type of [undefined, 'bytes'] as const) {
    it(`gives all of a stream${type ? ' of bytes' : ''}, and its end`, async () => {
      const { writable, heard } = sink()
      await feed(source(['one', 'two'], type).readable, writable)
      assert.deepEqual(heard, ['one', 'two', 'closed'])
    })
  }

  it('ends the sink where the source breaks off', async () => {
    const { writable, heard } = sink()
    await feed(source(['one', 'broken']).readable, writable)
    assert.deepEqual(heard, ['one', 'closed'])
  })

  it('cancels the source where the sink breaks off', async () => {
    const { readable, heard } = source(['one', 'two', 'three'])
    await feed(readable, sink('two').writable)
    assert.deepEqual(heard, ['cancelled: no more'])
  })
})

describe('an output', () => {
  it('is not opened before it is read', async () => {
    let opened = 0
    const output = new Output(async () => new Response(`opened ${++opened}`))
    assert.equal(output.disturbed, false)
    assert.equal(opened, 0)
    assert.equal(await new Response(output.readable).text(), 'opened 1')
    assert.equal(output.disturbed, true)
  })

  it('tells why it is not to be had', async () => {
    const refusal = encodeURIComponent(JSON.stringify({ message: 'It ended long ago.' }))
    const output = new Output(async () => new Response(null, { status: 410, headers: { 'x-moorage-error': refusal } }))
    await assert.rejects(new Response(output.readable).text(), { message: 'It ended long ago.' })
    const silent = new Output(async () => new Response(null, { status: 410 }))
    await assert.rejects(silent.readAll(), { message: 'Network connection lost.' })
  })

  it('ends its source when it is cancelled, read or not', async () => {
    for (const first of ['read', 'cancel'] as const) {
      const { readable, heard } = source(['one', 'two', 'three'], 'bytes')
      const output = new Output(async () => new Response(readable))
      const reader = output.readable.getReader()
      if (first === 'read') await reader.read()
      await reader.cancel(new Error('enough'))
      assert.deepEqual(heard, ['cancelled: enough'])
    }
  })

  it('is taken as a whole by one', async () => {
    const output = new Output(async () => new Response('all'))
    assert.equal((await output.readAll()).byteLength, 3)
    assert.throws(() => output.readable.getReader(), TypeError)
  })
})
