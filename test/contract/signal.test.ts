import assert from 'node:assert/strict'
import { it } from 'node:test'
import { about } from '../support/contract/object.ts'

const exited = (exitCode: number) => ({
  rejected: { name: 'Error', message: `Container exited with unexpected exit code: ${exitCode}`, exitCode },
})
const invalid = { threw: { name: 'RangeError', message: 'Invalid signal number.' } }
const notRunning = {
  threw: { name: 'Error', message: 'signal() cannot be called on a container that is not running.' },
}

about('signal', 'signal', (ask) => {
  for (const number of ['0', '-1', '65', '1000']) {
    it(`throws a RangeError for ${number}, before it looks whether the container runs`, async () => {
      assert.deepEqual(await ask('outOfRange', { number }), invalid)
    })
  }

  it('throws a RangeError for a number out of range while the container runs', async () => {
    assert.deepEqual(await ask('outOfRangeWhileRunning', { number: '65' }), invalid)
  })

  it('throws an Error where the container is not running', async () => {
    assert.deepEqual(await ask('notRunning'), notRunning)
  })

  it('throws an Error where the container has ended', async () => {
    assert.deepEqual(await ask('afterTheEnd'), notRunning)
  })

  it('returns nothing', async () => {
    assert.deepEqual(await ask('returnsNothing'), { resolved: 'undefined' })
  })

  it('gives TERM to the root process, which may end with 0', async () => {
    assert.deepEqual(await ask('term'), { monitor: { resolved: 'undefined' }, running: false })
  })

  it('gives TERM to the root process, which may end with a code of its own', async () => {
    assert.deepEqual(await ask('termWithCode'), exited(43))
  })

  it('takes a number in a string', async () => {
    assert.deepEqual(await ask('coerces'), exited(44))
  })

  it('ends with KILL what ignores TERM', async () => {
    assert.deepEqual(await ask('kill'), exited(137))
  })

  it('arrives when it is sent in the same turn as start()', async () => {
    assert.deepEqual(await ask('rightAfterStart'), exited(137))
  })

  it('does not end a root process that has no handler for TERM', async () => {
    assert.equal(await ask('withoutHandler'), true)
  })

  it('gives each of 1 to 64 as it is', async () => {
    assert.deepEqual(await ask('all'), [])
  })

  it('stops the container with STOP and lets it go on with CONT', async () => {
    assert.equal(await ask('stopAndContinue'), true)
  })
})
