import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { commandOf } from '../../../runtime/exec/command.ts'

const APP = { argv: ['app'], env: { A: 'app' }, cwd: '/srv/', user: 'node' }
const ASKED = { argv: ['ls'], env: {}, cwd: undefined, user: undefined, pty: undefined }
const PTY = { cols: 80, rows: 24 }

describe('what an exec is started as', () => {
  it('has the app’s folder and user where none is asked for, an empty one included', () => {
    for (const nothing of [undefined, '']) {
      const { cwd, user } = commandOf({ ...ASKED, cwd: nothing, user: nothing }, APP)
      assert.deepEqual([cwd, user], ['/srv/', 'node'])
    }
  })

  it('may be below the app’s folder or anywhere', () => {
    assert.equal(commandOf({ ...ASKED, cwd: 'sub/..' }, APP).cwd, '/srv/sub/..')
    assert.equal(commandOf({ ...ASKED, cwd: 'sub' }, { ...APP, cwd: '/' }).cwd, '/sub')
    assert.equal(commandOf({ ...ASKED, cwd: '/tmp' }, APP).cwd, '/tmp')
  })

  it('has the app’s variables and its own, and knows its terminal', () => {
    const env = (asked: object, app: object = {}) => commandOf({ ...ASKED, ...asked }, { ...APP, ...app }).env
    assert.deepEqual(env({ env: { B: 'own' } }), { A: 'app', B: 'own' })
    assert.deepEqual(env({ pty: PTY }), { A: 'app', TERM: 'xterm-256color' })
    assert.deepEqual(env({ pty: PTY, env: { TERM: 'own' } }), { A: 'app', TERM: 'own' })
    assert.deepEqual(env({ pty: PTY }, { env: { TERM: 'app' } }), { TERM: 'app' })
  })
})
