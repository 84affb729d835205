import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { Connection } from '../../../runtime/link/connection.ts'
import { WINDOW_BYTES } from '../../../runtime/protocol/frames.ts'

/** Numbers that only look random: the same each time. */
function dice(seed: number): (upTo: number) => number {
  let state = seed
  return (upTo) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return state % upTo
  }
}

function setUp() {
  const log: string[] = []
  const sent: Buffer[] = []
  let granted = 0
  const connection = new Connection({
    data: (bytes) => {
      sent.push(Buffer.from(bytes))
      log.push(`data ${bytes.length}`)
    },
    eof: () => log.push('eof'),
    credit: (bytes) => {
      granted += bytes
      log.push(`credit ${bytes}`)
    },
    close: () => log.push('close'),
  })
  return { connection, log, sent: () => Buffer.concat(sent), granted: () => granted }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('writing', () => {
  it('goes out as far as the window reaches, and on when the agent grants more', async () => {
    const { connection, log } = setUp()
    let done = false
    connection.write(Buffer.alloc(WINDOW_BYTES + 100), () => {
      done = true
    })
    assert.deepEqual([log, done], [[`data ${WINDOW_BYTES}`], false])
    connection.granted(60)
    assert.deepEqual([log.at(-1), done], ['data 60', false])
    connection.granted(1_000)
    await turn()
    assert.deepEqual([log.at(-1), done], ['data 40', true])
  })

  it('tells the end after all that was written', async () => {
    const { connection, log } = setUp()
    connection.write(Buffer.alloc(WINDOW_BYTES + 1))
    connection.end()
    await turn()
    assert.ok(!log.includes('eof'))
    connection.granted(1)
    await turn()
    assert.deepEqual(log, [`data ${WINDOW_BYTES}`, 'data 1', 'eof'])
  })

  it('never has more under way than a window, whatever the agent grants', () => {
    const { connection, log } = setUp()
    connection.granted(0xffff_ffff)
    connection.granted(0xffff_ffff)
    connection.write(Buffer.alloc(WINDOW_BYTES * 2))
    assert.deepEqual(log, [`data ${WINDOW_BYTES}`])
  })

  it('delivers every byte once and in order over any cuts and grants', async () => {
    const roll = dice(7)
    const { connection, sent } = setUp()
    const all: Buffer[] = []
    let taken = 0
    for (let i = 0; i < 200; i++) {
      const chunk = Buffer.alloc(roll(40_000) + 1, i)
      all.push(chunk)
      connection.write(chunk)
      assert.ok(sent().length - taken <= WINDOW_BYTES)
      const grant = roll(sent().length - taken + 1)
      taken += grant
      connection.granted(grant)
    }
    connection.end()
    while (!connection.writableFinished) {
      connection.granted(sent().length - taken)
      taken = sent().length
      await turn()
    }
    assert.ok(sent().equals(Buffer.concat(all)))
  })
})

describe('reading', () => {
  it('grants what was read in pieces of a quarter of the window', async () => {
    const { connection, log } = setUp()
    connection.resume()
    connection.received(Buffer.alloc(WINDOW_BYTES / 4 - 1))
    await turn()
    assert.deepEqual(log, [])
    connection.received(Buffer.alloc(1))
    await turn()
    assert.deepEqual(log, [`credit ${WINDOW_BYTES / 4}`])
  })

  it('holds a bounded part for a reader that does not read, and grants no more', async () => {
    const { connection, granted } = setUp()
    let received = 0
    for (let step = 0; step < 100 && received - granted() < WINDOW_BYTES; step++) {
      const bytes = Math.min(60_000, WINDOW_BYTES - (received - granted()))
      received += bytes
      connection.received(Buffer.alloc(bytes))
      await turn()
    }
    assert.equal(received - granted(), WINDOW_BYTES)
    assert.ok(received <= 2 * WINDOW_BYTES + 60_000, `${received} bytes`)
    assert.equal(connection.readableLength, received)
  })

  it('delivers every byte once and in order to a reader of any speed, within the window', async () => {
    const roll = dice(3)
    const { connection, granted } = setUp()
    const all = Buffer.alloc(5_000_000)
    for (let i = 0; i < all.length; i += 4) all.writeUInt32LE(i, i)
    const read: Buffer[] = []
    let at = 0
    for (let step = 0; at < all.length; step++) {
      assert.ok(step < 10_000, 'it came to a halt')
      const bytes = Math.min(roll(60_000) + 1, WINDOW_BYTES - (at - granted()))
      connection.received(all.subarray(at, at + bytes))
      at += bytes
      const chunk = roll(3) === 0 ? (connection.read() as Buffer | null) : null
      if (chunk !== null) read.push(chunk)
      await turn()
    }
    connection.receivedEof()
    for await (const chunk of connection) read.push(chunk as Buffer)
    assert.ok(Buffer.concat(read).equals(all))
  })

  it('ends with the container’s side, and what was sent before is still read', async () => {
    const { connection } = setUp()
    connection.received(Buffer.from('bye'))
    connection.receivedEof()
    assert.equal(String(await connection.toArray()), 'bye')
  })

  it('shows the end also where nobody reads', async () => {
    const { connection } = setUp()
    connection.receivedEof()
    await once(connection, 'end')
    assert.equal(connection.readableEnded, true)
  })
})

describe('a hostile agent', () => {
  it('that goes over its window breaks the connection, and nothing else', async () => {
    const { connection, log } = setUp()
    connection.received(Buffer.alloc(WINDOW_BYTES))
    connection.received(Buffer.alloc(1))
    await turn()
    assert.equal(connection.destroyed, true)
    assert.equal(log.at(-1), 'close')
    connection.received(Buffer.alloc(1))
  })

  it('that goes on after its end breaks the connection, and nothing else', async () => {
    const { connection } = setUp()
    connection.receivedEof()
    connection.receivedEof()
    connection.received(Buffer.from('more'))
    await turn()
    assert.equal(connection.destroyed, true)
  })
})

describe('the end of a connection', () => {
  it('is told once when both directions have ended', async () => {
    const { connection, log } = setUp()
    connection.resume()
    connection.end()
    connection.receivedEof()
    await once(connection, 'close')
    assert.deepEqual(log, ['eof', 'close'])
  })

  it('leaves the other direction open where one has ended', async () => {
    const { connection, log } = setUp()
    connection.receivedEof()
    connection.resume()
    await turn()
    connection.write('still there')
    assert.deepEqual(log, ['data 11'])
    assert.equal(connection.destroyed, false)
  })

  it('by destroy resets it, and a write that waits is dropped', async () => {
    const { connection, log } = setUp()
    connection.write(Buffer.alloc(WINDOW_BYTES + 1))
    connection.destroy()
    connection.granted(100)
    await turn()
    assert.deepEqual(log, [`data ${WINDOW_BYTES}`, 'close'])
  })
})
