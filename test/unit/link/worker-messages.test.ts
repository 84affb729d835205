import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseCall, parseNote } from '../../../runtime/link/worker-messages.ts'

describe('a call', () => {
  const good = [
    { method: 'start', life: 1, options: {} },
    {
      method: 'start',
      life: 2,
      options: {
        entrypoint: ['a'],
        env: { A: '' },
        enableInternet: true,
        labels: { a: 'b' },
        image: 'i',
        instance: { vcpu: 0.5 },
        hardTimeout: 1,
      },
    },
    { method: 'start', life: 1, options: { instance: 'lite' } },
    { method: 'destroy' },
    { method: 'destroy', value: 'v' },
    { method: 'signal', signal: 64 },
    { method: 'setInactivityTimeout', durationMs: 0.5 },
    { method: 'inspect' },
  ]
  for (const call of good) {
    it(JSON.stringify(call), () => assert.deepEqual(parseCall(JSON.stringify(call)), call))
  }

  const bad = [
    '',
    'null',
    '[]',
    '{"method":"exec"}',
    '{"method":"start","life":1}',
    '{"method":"start","life":1.5,"options":{}}',
    '{"method":"start","life":1,"options":{"env":{"A":1}}}',
    '{"method":"signal","signal":0}',
    '{"method":"signal","signal":65}',
    '{"method":"setInactivityTimeout","durationMs":0}',
    '{"method":"destroy","value":1}',
  ]
  for (const text of bad) it(`is not ${text || 'nothing'}`, () => assert.equal(parseCall(text), undefined))

  it('loses what it does not know', () => {
    assert.deepEqual(parseCall('{"method":"inspect","more":1,"__proto__":{"a":1}}'), { method: 'inspect' })
  })
})

describe('a note', () => {
  it('is busy, idle or a hook', () => {
    const hook = { note: 'hook', hook: 'onStart', edge: 'end', call: 3, tookMs: 1.5, error: 'Error: no' }
    for (const note of [{ note: 'busy' }, { note: 'idle' }, hook]) {
      assert.deepEqual(parseNote(JSON.stringify(note)), note)
    }
  })

  it('is nothing else, and no novel', () => {
    assert.equal(parseNote('{"note":"sleep"}'), undefined)
    assert.equal(parseNote('{"note":"hook","hook":"onStart","edge":"middle","call":1}'), undefined)
    assert.equal(parseNote(JSON.stringify({ note: 'hook', hook: 'x'.repeat(201), edge: 'end', call: 1 })), undefined)
  })
})
