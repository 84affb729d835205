import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { buildMessage, checkExported } from '../../../runtime/wrangler/exports.ts'

describe('a class with a container', () => {
  it('may be exported', () => {
    checkExported(['Quotes'], new Set(['default', 'Quotes']), '/p/index.ts')
  })

  it('must be, and the error names it and what there is', () => {
    assert.throws(() => checkExported(['Quotes'], new Set(['default', 'Quote']), '/p/index.ts'), {
      code: 'class-not-exported',
      message: 'The config gives Quotes a container, but /p/index.ts does not export it.',
      advice: [
        "Export it: `export { Quotes } from './…'`, or correct the class name in the config.",
        'Exported are: Quote.',
      ],
    })
  })
})

describe('a build’s error', () => {
  const location = { file: 'src/index.ts', line: 6, column: 38, lineText: "  return 'a" }

  it('says where', () => {
    assert.equal(
      buildMessage({ errors: [{ text: 'Unterminated string', location }] }),
      "src/index.ts:6:39: Unterminated string\n    return 'a",
    )
  })

  it('is found in a cause', () => {
    const error = new Error('An error occurred', { cause: { errors: [{ text: 'no such file', location: null }] } })
    assert.equal(buildMessage(error), 'no such file')
  })

  it('is none where another thing failed', () => {
    assert.equal(buildMessage(new Error('other')), undefined)
  })
})
