import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { tooltipOf } from '../../../extension/explorer/tooltip.ts'
import { type ObjectModel, objectKey } from '../../../runtime/protocol/model.ts'

describe('the tooltip of an object', () => {
  it('tells a failed one with what to do and the last five lines of its log', () => {
    const object: ObjectModel = {
      key: objectKey('Quotes', '4f'),
      className: 'Quotes',
      id: '4f',
      name: 'alice',
      memory: 'in-memory',
      container: {
        state: 'failed',
        life: 1,
        end: {
          at: 0,
          reason: { kind: 'exited', exitCode: 1 },
          message: 'It ended with 1',
          advice: ['Look at its log'],
          lastLog: ['1', '2', '3', '4', '5', 'six'],
        },
      },
    }
    assert.equal(
      tooltipOf(object, undefined),
      [
        '**alice** · Quotes',
        'It ended with 1',
        '| | |\n|---|---|\n| id | `4f` |',
        'Look at its log',
        '````text\n2\n3\n4\n5\nsix\n````',
      ].join('\n\n'),
    )
  })

  it('lets no name of the project become Markdown', () => {
    const object: ObjectModel = {
      key: objectKey('Quotes', '4f'),
      className: 'Quotes',
      id: '4f',
      name: '[x](command:y)',
      memory: 'asleep',
      container: { state: 'none' },
    }
    const [head] = tooltipOf(object, undefined).split('\n')
    assert.equal(head, '**\\[x\\]\\(command:y\\)** · Quotes')
  })
})
