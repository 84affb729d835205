import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { wrongWithFile } from '../../support/runner/file.mjs'
import { chosen, LAYERS } from '../../support/runner/layers.mjs'
import { newIn } from '../../support/runner/leaks.mjs'
import { fileLine, isGood, summary } from '../../support/runner/report.mjs'

const passed = { outcome: 'pass', name: 'a', tookMs: 1 } as const
const failed = {
  outcome: 'fail',
  name: 'suite › b',
  tookMs: 1,
  error: 'AssertionError: no\n    at b.test.ts:3',
} as const
const skipped = { outcome: 'skip', name: 'c', tookMs: 0 } as const

describe('which tests run', () => {
  it('takes all layers where none is named', () => {
    assert.deepEqual(chosen(['frames']), { layers: LAYERS, parts: ['frames'] })
  })
  it('takes the named layers in their own order', () => {
    const { layers, parts } = chosen(['contract', 'unit', 'destroy'])
    assert.deepEqual([layers.map((layer) => layer.name), parts], [['unit', 'contract'], ['destroy']])
  })
})

describe('the report', () => {
  it('tells a file in one line, and its failed tests by name', () => {
    const result = { file: 'test/unit/x.test.ts', lines: [passed, failed, skipped], tookMs: 1234, output: '' }
    assert.equal(fileLine(result), 'FAIL test/unit/x.test.ts  1 passed, 1 failed, 1 skipped  1.2 s\n       ✗ suite › b')
  })

  it('repeats all failures with what their file printed, and ends with the count', () => {
    const results = [
      { file: 'x.test.ts', lines: [passed, failed], tookMs: 1, output: 'hello\n' },
      { file: 'y.test.ts', lines: [passed], tookMs: 1, output: 'not told' },
    ]
    assert.equal(
      summary(results),
      [
        '',
        'Failures',
        '',
        '✗ x.test.ts › suite › b',
        '    AssertionError: no',
        '        at b.test.ts:3',
        '',
        '  What x.test.ts printed:',
        '    hello',
        '',
        '2 passed, 1 failed',
      ].join('\n'),
    )
  })

  it('calls a run good only where something passed and nothing failed', () => {
    const run = (lines: readonly (typeof passed | typeof failed | typeof skipped)[]) =>
      isGood([{ file: 'x', lines: [...lines], tookMs: 1, output: '' }])
    assert.deepEqual([run([passed]), run([passed, failed]), run([skipped]), run([])], [true, false, false, false])
  })
})

describe('a test file as a whole', () => {
  it('fails when its time is over', () => {
    const wrong = wrongWithFile([passed], { code: 124, late: true, limitSeconds: 60 })
    assert.equal(wrong, 'It had not ended after 60 s, and was ended.')
  })
  it('fails when no test in it ran', () => {
    const wrong = wrongWithFile([], { code: 0, late: false, limitSeconds: 60 })
    assert.equal(wrong, 'No test in it ran; its process ended with 0.')
  })
  it('fails when it crashes after its tests', () => {
    const wrong = wrongWithFile([passed], { code: 7, late: false, limitSeconds: 60 })
    assert.equal(wrong, 'All its tests passed, but its process ended with 7.')
  })
  it('has failed already where one of its tests did', () => {
    assert.equal(wrongWithFile([failed], { code: 1, late: false, limitSeconds: 60 }), undefined)
  })
})

describe('leaks', () => {
  it('are what was not there before, whatever its status has become', () => {
    const before = ['container 1f old (Up 2 seconds)']
    const now = ['container 1f old (Exited)', 'network 77 moorage']
    assert.deepEqual(newIn(now, before), ['network 77 moorage'])
  })
})
