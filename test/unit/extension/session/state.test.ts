import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { FolderState } from '../../../../extension/session/folder.ts'
import { stateOf } from '../../../../extension/session/state.ts'
import { type ErrorCode, MoorageError } from '../../../../runtime/protocol/errors.ts'

const folder = (state: FolderState, configs = 1) => ({ state, configs: Array.from({ length: configs }) as never })
const failed = (code: ErrorCode) => folder({ state: 'failed', error: new MoorageError(code, '') })

it('a window is at what the folder with most to show is at', () => {
  assert.equal(stateOf([]), 'none')
  assert.equal(stateOf([folder({ state: 'stopped' }, 0)]), 'none')
  assert.equal(stateOf([folder({ state: 'stopped' }, 0), folder({ state: 'stopped' })]), 'stopped')
  assert.equal(stateOf([folder({ state: 'starting' }), folder({ state: 'stopped' })]), 'starting')
  assert.equal(stateOf([folder({ state: 'running', session: {} as never }), failed('no-engine')]), 'running')
})

it('a failure is told apart where the view has words for it', () => {
  assert.equal(stateOf([failed('no-engine')]), 'no-engine')
  assert.equal(stateOf([failed('no-wrangler')]), 'not-installed')
  assert.equal(stateOf([failed('wrangler-too-old')]), 'old-wrangler')
  assert.equal(stateOf([failed('no-containers')]), 'no-containers')
  assert.equal(stateOf([failed('port-in-use')]), 'failed')
})
