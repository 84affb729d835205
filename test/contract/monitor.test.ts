import assert from 'node:assert/strict'
import { it } from 'node:test'
import { about, aboutOnce, ContractObject } from '../support/contract/object.ts'

const exited = (exitCode: number) => ({
  rejected: { name: 'Error', message: `Container exited with unexpected exit code: ${exitCode}`, exitCode },
})

about('monitor', 'monitor', (ask) => {
  it('rejects before any start', async () => {
    assert.deepEqual(await ask('beforeStart'), {
      rejected: { name: 'Error', message: 'monitor() cannot be called on a container that is not running.' },
    })
  })

  it('is pending while the container runs', async () => {
    assert.equal(await ask('whileItRuns'), true)
  })

  it('resolves with undefined when the root process ends with 0', async () => {
    assert.deepEqual(await ask('exitZero'), { resolved: 'undefined' })
  })

  it('rejects on another exit code with an Error that has it, as a number', async () => {
    assert.deepEqual(await ask('exitSeven'), {
      isError: true,
      message: 'Container exited with unexpected exit code: 7',
      exitCode: 7,
    })
  })

  it('rejects with exit code 137 after a plain destroy()', async () => {
    assert.deepEqual(await ask('plainDestroy'), exited(137))
  })

  it('rejects with exit code 137 after SIGKILL', async () => {
    assert.deepEqual(await ask('killed'), exited(137))
  })

  it('gives the outcome to a later caller too', async () => {
    assert.deepEqual(await ask('laterCaller'), { first: exited(7), later: exited(7) })
  })

  it('gives the outcome to a caller who only asks after the end', async () => {
    assert.deepEqual(await ask('onlyLaterCaller'), exited(5))
  })

  it('gives the same exit code to all callers', async () => {
    assert.deepEqual(await ask('severalCallers'), [exited(7), exited(7), exited(7)])
  })

  it('rejects with the very value that destroy() was given', async () => {
    assert.equal(await ask('identity'), true)
  })

  for (const value of ['"Manually Destroyed"', 'null', '0', '{"a":[1]}']) {
    it(`rejects with ${value} after destroy(${value})`, async () => {
      assert.deepEqual(await ask('destroyValue', { value }), { rejected: { value: JSON.parse(value) } })
    })
  }

  it('takes undefined for no value', async () => {
    assert.deepEqual(await ask('destroyValue', { value: 'undefined' }), exited(137))
  })

  it('rejects with the first destroy’s value', async () => {
    assert.deepEqual(await ask('firstDestroyWins'), { rejected: { value: 'first' } })
  })

  it('gives destroy’s value to the first caller only, and exit code 137 to the rest', async () => {
    assert.deepEqual(await ask('valueToTheFirstCaller'), {
      first: { rejected: { value: 'mine' } },
      second: exited(137),
      later: exited(137),
    })
  })

  it('lets no late result of an earlier life change the present one', async () => {
    assert.deepEqual(await ask('lateResult'), {
      first: { rejected: { value: 'first life' } },
      secondPending: true,
      running: true,
    })
  })

  it('tells each life’s own outcome', async () => {
    assert.deepEqual(await ask('lifeAfterLife'), [exited(1), { resolved: 'undefined' }, exited(2)])
  })
})

aboutOnce('monitor, after adoption', () => {
  it('works without a start where the constructor found running true', async () => {
    await using object = new ContractObject('Plain')
    await object.run('life', 'boot')
    await object.run('life', 'inactivityTimeout', { ms: '20000' })
    await object.abort()
    assert.deepEqual(await object.run('monitor', 'adopted'), { runningInConstructor: true, monitor: exited(6) })
  })
})
