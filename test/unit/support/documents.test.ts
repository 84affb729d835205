import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { documentProblems, filesNamedIn } from '../../support/check/documents.mjs'

describe('documents', () => {
  it('takes links and paths in code for names of files', () => {
    const text = [
      'See [the map](ARCHITECTURE.md#rooms) and `runtime/engine/`, `test/unit/a.test.ts:12`.',
      '![picture](docs/parts.svg)',
    ].join('\n')
    assert.deepEqual(filesNamedIn(text), [
      { name: 'ARCHITECTURE.md', line: 1 },
      { name: 'runtime/engine/', line: 1 },
      { name: 'test/unit/a.test.ts', line: 1 },
      { name: 'docs/parts.svg', line: 2 },
    ])
  })

  it('passes over addresses, patterns and other code', () => {
    const text = '[site](https://example.com/a.md) `test/<layer>/**` `npm test` `onStart` `runtime/*.ts` `dist/cli.js`'
    assert.deepEqual(filesNamedIn(text), [])
  })

  it('names document and line of what does not exist', () => {
    const documents = new Map([['README.md', '\n`runtime/gone.ts`']])
    assert.deepEqual(
      documentProblems(documents, () => false),
      ['README.md:2: runtime/gone.ts does not exist.'],
    )
    assert.deepEqual(
      documentProblems(documents, () => true),
      [],
    )
  })
})
