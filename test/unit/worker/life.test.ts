import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Life, Lives } from '../../../runtime/worker/life.ts'

/** What one caller of monitor() gets, in words. */
function told(lives: Lives, life: Life, exitCode: number): string {
  try {
    lives.settle(life, { life: life.number, exitCode })
    return 'resolved'
  } catch (error) {
    return error instanceof Error ? error.message : `value ${JSON.stringify(error)}`
  }
}

const EXIT_137 = 'Container exited with unexpected exit code: 137'

describe('running', () => {
  it('is false before any start, true from the start on, false after the end', () => {
    const lives = new Lives()
    assert.equal(lives.running, false)
    const life = lives.begin(1)
    assert.equal(lives.running, true)
    lives.ended(life)
    assert.equal(lives.running, false)
  })

  it('is what the runtime says of an object that was here before', () => {
    const lives = new Lives()
    lives.adopt(4, true)
    assert.equal(lives.running, true)
    lives.ended(lives.present as Life)
    assert.equal(lives.begin(1).number, 5)
  })

  it('forgets earlier lives when the runtime says that nothing runs', () => {
    const lives = new Lives()
    lives.begin(1)
    lives.adopt(0, false)
    assert.equal(lives.present, undefined)
  })

  it('becomes false by an answer to a request that was made in this life', () => {
    const lives = new Lives()
    lives.begin(3)
    lives.heard(3, false)
    assert.equal(lives.running, false)
  })

  it('stays true by an answer to a request that was made before the start', () => {
    const lives = new Lives()
    lives.begin(3)
    lives.heard(2, false)
    assert.equal(lives.running, true)
  })

  it('does not become true by an answer', () => {
    const lives = new Lives()
    lives.ended(lives.begin(1))
    lives.heard(9, true)
    assert.equal(lives.running, false)
  })

  it('is not changed by the end of an earlier life', () => {
    const lives = new Lives()
    const first = lives.begin(1)
    lives.ended(first)
    lives.begin(2)
    lives.ended(first, { life: 1, exitCode: 0 })
    assert.equal(lives.running, true)
  })
})

describe('monitor()', () => {
  it('resolves for exit code 0', () => {
    const lives = new Lives()
    assert.equal(told(lives, lives.begin(1), 0), 'resolved')
  })

  it('rejects for another with the code as a number', () => {
    const lives = new Lives()
    const life = lives.begin(1)
    assert.throws(() => lives.settle(life, { life: 1, exitCode: 7 }), {
      message: 'Container exited with unexpected exit code: 7',
      exitCode: 7,
    })
  })

  it('rejects with the failure of a start and its cause', () => {
    const lives = new Lives()
    const life = lives.begin(1)
    const failure = { message: 'Container failed to start', cause: 'There is no image x.' }
    assert.throws(
      () => lives.settle(life, { life: 1, failure }),
      (error: Error) => error.message === failure.message && (error.cause as Error).message === failure.cause,
    )
    assert.equal(lives.running, false)
  })

  it('gives destroy’s value to the first caller and the exit code to the rest', () => {
    const lives = new Lives()
    const life = lives.begin(1)
    const value = { why: 'mine' }
    lives.destroying(value)
    assert.throws(
      () => lives.settle(life, { life: 1, exitCode: 137 }),
      (error) => error === value,
    )
    assert.deepEqual([told(lives, life, 137), told(lives, life, 137)], [EXIT_137, EXIT_137])
  })

  for (const [value, expected] of [
    [null, 'value null'],
    [0, 'value 0'],
    ['', 'value ""'],
    [undefined, EXIT_137],
  ] as const) {
    it(`rejects after destroy(${JSON.stringify(value)}) with ${expected}`, () => {
      const lives = new Lives()
      const life = lives.begin(1)
      lives.destroying(value)
      assert.equal(told(lives, life, 137), expected)
    })
  }

  it('rejects with the first destroy’s value', () => {
    const lives = new Lives()
    const life = lives.begin(1)
    lives.destroying(undefined)
    lives.destroying('first')
    lives.destroying('second')
    assert.equal(told(lives, life, 137), 'value "first"')
  })

  it('gives the value of an earlier life to nobody of a later one', () => {
    const lives = new Lives()
    lives.begin(1)
    lives.destroying('first life')
    lives.ended(lives.present as Life)
    assert.equal(told(lives, lives.begin(2), 137), EXIT_137)
  })

  it('remembers how a life ended', () => {
    const lives = new Lives()
    const life = lives.begin(1)
    told(lives, life, 3)
    assert.deepEqual(life.outcome, { life: 1, exitCode: 3 })
  })
})
