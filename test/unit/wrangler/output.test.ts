import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isOldWorkersLine, OutputReader } from '../../../runtime/wrangler/output.ts'

/** What lines of stdout are told as: whose, how bad, the text. */
function told(text: string, { serving = true, version = '4.164.0' } = {}): string[] {
  const reader = new OutputReader('info')
  return text.split('\n').map((line) => {
    const { from, level, text } = reader.read(line, serving, version)
    return `${from} ${level}: ${text}`
  })
}

const UNCAUGHT = `[wrangler:info] Ready
[wrangler:error] TypeError: no such thing:
a second line of the message
    at deep (file:///p/src/index.ts:107:9)
    at Object.fetch (file:///p/src/index.ts:81:27)
Caused by: Error: the cause
    at deep (file:///p/src/index.ts:107:66)
[wrangler:info] GET /boom 500 Internal Server Error (20ms)
something else`

describe('an exception that the Worker threw', () => {
  it('is the Worker’s error, from its message to the last frame of its causes', () => {
    assert.deepEqual(told(UNCAUGHT), [
      'wrangler info: [wrangler:info] Ready',
      'worker error: TypeError: no such thing:',
      'worker error: a second line of the message',
      'worker error:     at deep (file:///p/src/index.ts:107:9)',
      'worker error:     at Object.fetch (file:///p/src/index.ts:81:27)',
      'worker error: Caused by: Error: the cause',
      'worker error:     at deep (file:///p/src/index.ts:107:66)',
      'wrangler info: [wrangler:info] GET /boom 500 Internal Server Error (20ms)',
      'wrangler info: something else',
    ])
  })

  it('ends where an older version goes on with the Worker’s console', () => {
    assert.deepEqual(told('[wrangler:error] Error: old\n    at x (a.ts:1:2)\nhello', { version: '4.40.0' }), [
      'worker error: Error: old',
      'worker error:     at x (a.ts:1:2)',
      'worker log: hello',
    ])
  })

  it('is wrangler’s before the Worker serves', () => {
    assert.deepEqual(told('[wrangler:error] no', { serving: false }), ['wrangler info: [wrangler:error] no'])
  })
})

describe('an exception that ends an object', () => {
  it('is told once, though all that waited for the object tell it again', () => {
    const reader = new OutputReader('error')
    const levels = (at: number, ...lines: string[]) =>
      lines.map((line) => reader.read(`✘ [ERROR] Uncaught ${line}`, true, '4.164.0', at).level)
    assert.deepEqual(levels(0, 'Error: no Error', 'Error: no ', 'Error: no '), ['error', 'debug', 'debug'])
    assert.deepEqual(levels(10, 'Error: no Error'), ['error'])
    assert.deepEqual(levels(20, 'TypeError: another ', 'TypeError: another '), ['error', 'debug'])
    assert.deepEqual(levels(5_000, 'TypeError: another '), ['error'])
  })
})

describe('a line of an older wrangler', () => {
  it('is the Worker’s where it does not look like wrangler’s own', () => {
    assert.equal(isOldWorkersLine('hello', '4.40.0'), true)
    for (const line of ['[wrangler:info] GET / 200 OK', '⎔ Reloading local server...', '    at GetAddrInfo']) {
      assert.equal(isOldWorkersLine(line, '4.40.0'), false)
    }
  })

  it('is never the Worker’s with a wrangler that hands its console over', () => {
    assert.equal(isOldWorkersLine('hello', '4.164.0'), false)
  })
})
