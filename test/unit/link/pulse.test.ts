import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { Pulse } from '../../../runtime/link/pulse.ts'

/** A link that is looked at `beats` times; `answers` are the looks at which the agent is heard. */
function silences(t: TestContext, beats: number, link: { isUp?: boolean; waits?: boolean; answers?: number[] } = {}) {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const silent: number[] = []
  let beat = 0
  let pokes = 0
  let heard = 0
  const { isUp = true, waits = true, answers = [] } = link
  const pulse = new Pulse(
    {
      isUp,
      waits,
      get heard() {
        return heard
      },
      poke: () => {
        pokes += 1
      },
    },
    () => silent.push(beat),
  )
  for (beat = 1; beat <= beats; beat++) {
    if (answers.includes(beat)) heard += 1
    t.mock.timers.tick(5_000)
  }
  pulse.close()
  t.mock.timers.tick(60_000)
  return { silent, pokes }
}

describe('an agent’s pulse', () => {
  it('is missed where three looks are not answered, and at each from then on', (t) =>
    assert.deepEqual(silences(t, 6), { silent: [4, 5, 6], pokes: 6 }))

  it('is there again with anything that comes', (t) =>
    assert.deepEqual(silences(t, 9, { answers: [4, 8] }).silent, [7]))

  it('is not looked for where nothing waits, or there is no link', (t) => {
    assert.deepEqual(silences(t, 9, { waits: false }), { silent: [], pokes: 0 })
    t.mock.timers.reset()
    assert.deepEqual(silences(t, 9, { isUp: false }), { silent: [], pokes: 0 })
  })
})
