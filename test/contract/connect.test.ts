import assert from 'node:assert/strict'
import { it } from 'node:test'
import { about } from '../support/contract/object.ts'

about(
  'getTcpPort().connect',
  'connect',
  (ask, together) => {
    it('throws a TypeError at once for an address without a port', async () => {
      assert.equal((await together('withoutPort')).threw?.name, 'TypeError')
    })

    it('gives a socket that opens, reads and writes', async () => {
      assert.equal(await together('opens'), 'hello')
    })

    it('ignores the host of the address', async () => {
      assert.equal(await together('hostIsIgnored'), 'x')
    })

    it('takes what is written before it is open', async () => {
      assert.equal(await together('withoutWaiting'), 'earlyheard 5 bytes')
    })

    it('closes one direction and leaves the other open', async () => {
      assert.deepEqual(await together('halfClose'), { heard: 'abcheard 3 bytes', closed: { resolved: 'undefined' } })
    })

    it('carries much in both directions at once', async () => {
      assert.deepEqual(await together('pipes'), {
        length: (4 << 20) + 'heard 4194304 bytes'.length,
        end: 'heard 4194304 bytes',
      })
    })

    it('resolves closed after close()', async () => {
      assert.deepEqual(await together('closed'), {
        closing: { resolved: 'undefined' },
        closed: { resolved: 'undefined' },
      })
    })

    it('resolves closed and rejects writes where nothing listens', async () => {
      const { closed, write } = await together('nothingListens')
      assert.deepEqual(closed, { resolved: 'undefined' })
      assert.match(write.rejected?.message, /Network connection lost\./)
    })

    it('ends when the container ends', async () => {
      assert.equal(await ask('lost'), 'ended')
    })

    it('opens several at once', async () => {
      assert.deepEqual(await together('severalAtOnce'), ['aheard 1 bytes', 'bbheard 2 bytes', 'cccheard 3 bytes'])
    })
  },
  { waits: ['block', 'transaction'] },
)
