import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Outbox } from '../../../runtime/share/outbox.ts'

/** An outbox whose reader takes a frame when it is told to. */
function setUp() {
  const sent: string[] = []
  const dones: (() => void)[] = []
  let full = 0
  const outbox = new Outbox({
    send: (frame, done) => {
      sent.push(String(frame).slice(0, 8))
      dones.push(done)
    },
    onFull: () => {
      full += 1
    },
  })
  return { outbox, sent, take: () => dones.shift()?.(), full: () => full }
}

const MEGABYTE = 'x'.repeat(1_048_576)

describe('the outbox', () => {
  it('sends at once what a reader that keeps up is told', () => {
    const { outbox, sent } = setUp()
    for (const text of ['a', 'b', 'c']) outbox.send(text)
    assert.deepEqual(sent, ['a', 'b', 'c'])
  })

  it('holds back what comes behind a megabyte under way, and sends it in order', () => {
    const { outbox, sent, take } = setUp()
    outbox.send(MEGABYTE)
    for (let i = 0; i < 5_000; i++) outbox.send(`${i}`)
    assert.equal(sent.length, 1)
    take()
    assert.deepEqual(
      sent.slice(1),
      Array.from({ length: 5_000 }, (_, i) => `${i}`),
    )
  })

  it('says that its reader has to go when more than 64 MiB wait, once, and sends nothing more', () => {
    const { outbox, sent, take, full } = setUp()
    for (let i = 0; i < 65; i++) outbox.send(MEGABYTE)
    assert.equal(full(), 0)
    for (let i = 0; i < 10; i++) outbox.send(MEGABYTE)
    take()
    assert.deepEqual([full(), sent.length], [1, 1])
  })
})
