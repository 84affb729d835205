import assert from 'node:assert/strict'
import { it } from 'node:test'
import { signalName, signalNumber } from '../../../../extension/actions/signals.ts'

it('a signal may be typed as a number, a name, or a name without SIG', () => {
  for (const text of ['9', 'KILL', 'sigkill', ' SIGKILL ']) assert.equal(signalNumber(text), 9)
  assert.equal(signalNumber('64'), 64)
  for (const text of ['0', '65', 'SIGNOTHING', '1.5', '']) assert.equal(signalNumber(text), undefined)
})

it('a signal is named', () => {
  assert.equal(signalName(15), 'SIGTERM')
  assert.equal(signalName(40), 'signal 40')
})
