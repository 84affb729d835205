import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { afterItsTime } from '../../../runtime/worker/alarm.ts'

/** Calls a handler at 1000 ms of a clock that only waiting moves; when it ran, and what came of it. */
async function called(info: unknown): Promise<{ at: number; result: unknown }> {
  const { now } = Date
  let clock = 1000
  let at = 0
  Date.now = () => clock
  const wait = async (ms: number): Promise<void> => {
    clock += ms
  }
  Object.assign(globalThis, { scheduler: { wait } })
  try {
    const result = await afterItsTime(info, () => {
      at = clock
      return 'done'
    })
    return { at, result }
  } finally {
    Date.now = now
    Reflect.deleteProperty(globalThis, 'scheduler')
  }
}

describe('an alarm', () => {
  it('begins later than in the millisecond it was set for', async () => {
    assert.deepEqual(await called({ scheduledTime: 1000 }), { at: 1002, result: 'done' })
  })

  it('begins at once where that has passed', async () => {
    assert.deepEqual(await called({ scheduledTime: 999 }), { at: 1000, result: 'done' })
  })

  it('begins a moment later where nobody says what it was set for', async () => {
    assert.deepEqual(await called(undefined), { at: 1002, result: 'done' })
  })
})
