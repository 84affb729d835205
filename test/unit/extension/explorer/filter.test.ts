import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  countStates,
  filterWords,
  isFilterOn,
  matches,
  NO_FILTER,
  readFilter,
  shownWords,
} from '../../../../extension/explorer/filter.ts'
import { ended, NONE, object, RUNNING, STARTING } from './models.ts'

const FAILED = ended('failed', { kind: 'exited', exitCode: 1 })

describe('a filter', () => {
  it('asks for a part of the name, in small or capital letters', () => {
    assert(matches({ states: [], text: 'ALI' }, object('alice', NONE)))
    assert(matches({ states: [], text: 'lic' }, object('alice', NONE)))
    assert(!matches({ states: [], text: 'bob' }, object('alice', NONE)))
  })

  it('asks for the beginning of the id', () => {
    assert(matches({ states: [], text: '4F1C' }, object(undefined, NONE)))
    assert(!matches({ states: [], text: '77ab' }, object(undefined, NONE)))
  })

  it('asks for one of several states, and for the name too', () => {
    const states = ['failed', 'starting'] as const
    assert(matches({ states, text: '' }, object('alice', FAILED)))
    assert(matches({ states, text: '' }, object('alice', STARTING)))
    assert(!matches({ states, text: '' }, object('alice', RUNNING)))
    assert(!matches({ states, text: 'bob' }, object('alice', FAILED)))
  })

  it('says itself, and how much it shows', () => {
    assert.equal(filterWords({ states: ['failed'], text: 'ali' }), 'failed, "ali"')
    assert.equal(filterWords({ states: ['running', 'failed'], text: '' }), 'running, failed')
    assert.equal(filterWords(NO_FILTER), '')
    assert.equal(shownWords(4, 1000), '4 of 1,000 objects shown')
  })

  it('is read from what was kept, whatever that is', () => {
    assert.deepEqual(readFilter({ states: ['failed', 'running', 'x', 1], text: 'a' }), {
      states: ['running', 'failed'],
      text: 'a',
    })
    for (const kept of [undefined, null, 1, [], {}, { states: 'failed', text: 1 }]) {
      assert.deepEqual(readFilter(kept), NO_FILTER)
    }
    assert(!isFilterOn(NO_FILTER))
    assert(isFilterOn({ states: [], text: 'a' }))
  })
})

describe('states', () => {
  it('are counted: what is asleep apart from what has stopped', () => {
    const objects = [
      object('a', NONE),
      object('b', ended('stopped', { kind: 'idle', exitCode: 0 })),
      object('c', NONE, { memory: 'asleep' }),
      object('d', RUNNING),
    ]
    assert.deepEqual(Object.fromEntries(countStates(objects)), { stopped: 2, asleep: 1, running: 1 })
  })
})
