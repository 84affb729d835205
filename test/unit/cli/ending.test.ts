import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { AGAIN_MS, LONG_END_MS, tellEnding } from '../../../runtime/cli/ending.ts'
import { settled } from '../object/fakes.ts'

function setUp(t: TestContext, left: () => Promise<number | undefined>) {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const said: string[] = []
  const end = tellEnding(left, (text) => said.push(text))
  const tick = async (ms: number): Promise<void> => {
    t.mock.timers.tick(ms)
    await settled()
  }
  return { said, end, tick }
}

describe('an end that takes long', () => {
  it('is told after a second and from time to time, with what is left', async (t) => {
    let left = 3
    const { said, end, tick } = setUp(t, async () => left--)
    await tick(LONG_END_MS - 1)
    assert.deepEqual(said, [])
    await tick(1)
    for (let i = 0; i < 3; i++) await tick(AGAIN_MS)
    end()
    await tick(10 * AGAIN_MS)
    assert.deepEqual(said, [
      'Ending: 3 containers are left to remove.',
      'Ending: 2 containers are left to remove.',
      'Ending: 1 container is left to remove.',
      'Ending …',
    ])
  })

  it('is told also where the engine does not answer', async (t) => {
    const { said, end, tick } = setUp(t, () => new Promise(() => undefined))
    await tick(LONG_END_MS)
    await tick(LONG_END_MS)
    assert.deepEqual(said, ['Ending …'])
    end()
  })

  it('is not told where it does not take long', async (t) => {
    const { said, end, tick } = setUp(t, async () => 3)
    await tick(LONG_END_MS - 1)
    end()
    await tick(AGAIN_MS)
    assert.deepEqual(said, [])
  })
})
