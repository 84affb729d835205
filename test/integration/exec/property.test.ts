// Whatever sizes and pauses: what goes into cat comes out again. A failure names its seed.
import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { type Running, run } from '../../support/session.ts'

/** Always the same, and one that is new each time. */
const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, randomInt(2 ** 32 - 1)]

describe('chunks of chance through cat', () => {
  let running: Running
  before(async () => {
    running = await run('exec')
    await running.text('/one/start', { method: 'POST' })
  })
  after(() => running?.[Symbol.asyncDispose]())

  it(`come back as they were, one process after the other (seeds ${SEEDS.join(' ')})`, async () => {
    for (const seed of SEEDS) {
      const told = JSON.parse(await running.text(`/one/cat?seed=${seed}`, { method: 'POST' }))
      assert.deepEqual(
        { seed, received: told.received, differsAt: told.differsAt, exitCode: told.exitCode },
        { seed, received: told.sent, differsAt: -1, exitCode: 0 },
      )
    }
  })

  it('come back as they were, all processes at once', async () => {
    const all = await Promise.all(SEEDS.map((seed) => running.text(`/one/cat?seed=${seed}`, { method: 'POST' })))
    for (const [i, text] of all.entries()) {
      const { sent, received, differsAt, exitCode } = JSON.parse(text)
      assert.deepEqual(
        { seed: SEEDS[i], received, differsAt, exitCode },
        { seed: SEEDS[i], received: sent, differsAt: -1, exitCode: 0 },
      )
    }
  })
})
