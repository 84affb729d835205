import assert from 'node:assert/strict'
import { it } from 'node:test'
import { about } from '../support/contract/object.ts'

about(
  'destroy',
  'destroy',
  (ask) => {
    it('resolves where the container was never started', async () => {
      assert.deepEqual(await ask('neverStarted'), { resolved: 'undefined' })
    })

    it('resolves where the container has ended', async () => {
      assert.deepEqual(await ask('stopped'), { resolved: 'undefined' })
    })

    it('resolves when running is false', async () => {
      assert.deepEqual(await ask('running'), { resolved: 'undefined', running: false })
    })

    it('ends a container that ignores TERM', async () => {
      assert.deepEqual(await ask('ignoresTerm'), { resolved: 'undefined', running: false })
    })

    it('resolves for each who calls it', async () => {
      assert.deepEqual(await ask('twice'), {
        both: [{ resolved: 'undefined' }, { resolved: 'undefined' }],
        running: false,
      })
    })

    it('may be followed by start() as soon as it has resolved', async () => {
      assert.deepEqual(await ask('thenStart'), { another: true, running: true })
    })

    it('leaves nothing that answers on a port', async () => {
      assert.equal(await ask('endsItsPort'), true)
    })

    it('keeps its order with a start() in the same turn', async () => {
      assert.deepEqual(await ask('rightAfterStart'), { monitor: { rejected: { value: 'at once' } }, running: false })
    })

    it('does not keep its value for a later life', async () => {
      assert.deepEqual(await ask('valueIsNotKept'), {
        rejected: { name: 'Error', message: 'Container exited with unexpected exit code: 4', exitCode: 4 },
      })
    })
  },
  { waits: ['block', 'transaction'] },
)
