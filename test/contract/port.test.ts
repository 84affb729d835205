import assert from 'node:assert/strict'
import { it } from 'node:test'
import { about } from '../support/contract/object.ts'

about('getTcpPort', 'port', (ask) => {
  for (const number of ['0', '-1', '65536', '100000']) {
    it(`throws a TypeError for ${number}`, async () => {
      assert.deepEqual(await ask('outOfRange', { number }), {
        threw: { name: 'TypeError', message: `Invalid port number: ${number}` },
      })
    })
  }

  it('needs no running container', async () => {
    assert.deepEqual(await ask('neverStarted'), { resolved: ['function', 'function'] })
  })

  it('takes a number in a string', async () => {
    assert.equal(await ask('coerces'), 'ok')
  })

  it('gives a port that serves one life after the other', async () => {
    assert.deepEqual(await ask('isKept'), ['ok', 'ok'])
  })

  it('gives a port whose fetch rejects a relative URL with a TypeError', async () => {
    assert.equal((await ask('relativeUrl')).rejected?.name, 'TypeError')
  })

  it('gives a port whose fetch refuses https with an Error', async () => {
    assert.equal((await ask('https')).rejected?.name, 'Error')
  })

  it('gives a port whose fetch rejects quickly where nothing listens, with the platform’s text', async () => {
    const { rejected, quick } = await ask('nothingListens')
    assert.equal(rejected?.name, 'Error')
    assert.equal(rejected.message, 'The Container is not listening to port 8081')
    assert.equal(rejected.retryable, true)
    assert.equal(quick, true)
  })

  it('gives a port whose fetch says the same while the app has not come so far', async () => {
    const { rejected } = await ask('notYet')
    assert.equal(rejected?.message, 'The Container is not listening to port 8080')
    assert.equal(rejected.retryable, true)
  })

  it('gives a port whose fetch rejects where the container is not running', async () => {
    assert.equal(await ask('notRunning'), true)
  })

  for (const host of ['127.0.0.1', '::1', '0.0.0.0', '::']) {
    it(`reaches a server bound to ${host}`, async () => {
      assert.equal(await ask('listensOn', { host }), 'ok')
    })
  }

  it('reaches a server that listens late, once it does', async () => {
    assert.deepEqual(await ask('listensLate'), { early: true, late: 'ok' })
  })

  it('reaches every port without EXPOSE', async () => {
    assert.deepEqual(await ask('severalPorts'), ['ok', 'ok', 'ok'])
  })
})
