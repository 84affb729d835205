import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { harmless, plain, type ShownLine, withoutKnown, written } from '../../../../extension/terminal/log-lines.ts'

const LINE: ShownLine = {
  at: new Date(2026, 10, 24, 14, 2, 11, 45).getTime(),
  from: 'alice',
  text: 'listening',
  kind: 'stdout',
}

describe('a line of a log', () => {
  it('is written as it is where only one object writes', () => {
    assert.equal(written(LINE, { prefix: false, timestamps: false }), 'listening\x1b[0m\r\n')
  })

  it('has its writer in front, in a colour that is always the same, where several write', () => {
    const one = written(LINE, { prefix: true, timestamps: false })
    assert.equal(one.slice(one.indexOf('m') + 1), 'alice │\x1b[0m listening\x1b[0m\r\n')
    assert.equal(written({ ...LINE, text: 'again' }, { prefix: true, timestamps: false }).slice(0, 8), one.slice(0, 8))
  })

  it('has its time in front on demand', () => {
    assert.match(written(LINE, { prefix: false, timestamps: true }), /14:02:11\.045/)
  })

  it('is marked red where it went to stderr', () => {
    assert.ok(written({ ...LINE, kind: 'stderr' }, { prefix: false, timestamps: false }).startsWith('\x1b[31m▏'))
  })

  it('may be a mark between two lives', () => {
    assert.match(
      written({ ...LINE, kind: 'mark', text: 'started' }, { prefix: false, timestamps: false }),
      /── alice started ──/,
    )
  })

  it('is saved without colours', () => {
    assert.equal(plain({ ...LINE, text: '\x1b[31mred\x1b[0m' }), `${new Date(LINE.at).toISOString()} alice: red\n`)
  })
})

describe('what a container writes', () => {
  it('keeps its colours', () => assert.equal(harmless('\x1b[1;32mok\x1b[0m'), '\x1b[1;32mok\x1b[0m'))
  it('cannot move the cursor, clear the screen, or set the title', () => {
    assert.equal(harmless('a\x1b[2Jb\x1b[Hc\x1b]0;title\x07d'), 'abcd')
  })
  it('cannot ring, go back or hide behind C1 controls', () => assert.equal(harmless('a\x07b\rc\x08d\x9be'), 'abcde'))
  it('keeps tabs and letters of any script', () => assert.equal(harmless('a\tü漢🙂'), 'a\tü漢🙂'))
})

describe('lines that were heard while the past was read', () => {
  const line = (text: string) => ({ text })
  it('are not shown twice', () => {
    assert.deepEqual(withoutKnown([line('a'), line('b'), line('c')], [line('b'), line('c'), line('d')]), [line('d')])
  })
  it('are all shown where the past has none of them', () => {
    assert.deepEqual(withoutKnown([line('a')], [line('b')]), [line('b')])
    assert.deepEqual(withoutKnown([], [line('b')]), [line('b')])
  })
})
