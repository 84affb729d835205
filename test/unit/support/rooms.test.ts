import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { roomProblems } from '../../support/check/rooms.mjs'

const TABLE = `{
  "base": [],
  "engine": ["base"],
  "object": ["base", "relay/thread.ts"],
  "relay": ["base", "engine"],
  "relay/thread.ts": ["base"],
  "*.ts": ["*.ts", "object"],
  "index.ts": ["*.ts"]
}`

function problems(sources: Record<string, string>): string[] {
  return roomProblems(new Map(Object.entries(sources)), TABLE)
}

describe('rooms', () => {
  it('lets a room import itself and what its line names', () => {
    const text = "import './b.ts'\nimport '../base/scope.ts'"
    assert.deepEqual(problems({ 'runtime/engine/a.ts': text, 'runtime/session.ts': "import './object/object.ts'" }), [])
  })

  it('names file and line, and the line of the table to edit', () => {
    assert.deepEqual(problems({ 'runtime/engine/a.ts': "\nimport '../object/object.ts'" }), [
      'runtime/engine/a.ts:2: "engine" may not import runtime/object/object.ts. ' +
        'Import it elsewhere, or change test/support/check/rooms.json:3.',
    ])
  })

  it('takes a line for one file before the line of its room', () => {
    assert.equal(problems({ 'runtime/relay/thread.ts': "import '../engine/engine.ts'" }).length, 1)
    assert.equal(problems({ 'runtime/relay/main.ts': "import '../engine/engine.ts'" }).length, 0)
  })

  it('lets in one file of a room where the table names only that', () => {
    assert.equal(problems({ 'runtime/object/a.ts': "import '../relay/thread.ts'" }).length, 0)
    assert.equal(problems({ 'runtime/object/a.ts': "import '../relay/calls.ts'" }).length, 1)
  })

  it('has one line for all files that lie in no room, where they have none of their own', () => {
    const text = "import './store.ts'\nimport './object/a.ts'"
    assert.equal(problems({ 'runtime/session.ts': text }).length, 0)
    assert.equal(problems({ 'runtime/index.ts': text }).length, 1)
  })

  it('lets nobody import a process', () => {
    assert.deepEqual(problems({ 'runtime/relay/thread.ts': "import './main.ts'" }), [
      'runtime/relay/thread.ts:1: runtime/relay/main.ts is a process, and nobody imports one.',
    ])
  })

  it('asks for a line where a room has none', () => {
    assert.deepEqual(problems({ 'runtime/new/a.ts': '' }), [
      'runtime/new/a.ts: no line of test/support/check/rooms.json says what "new/a.ts" may import; add one.',
    ])
  })

  it('forbids circles, also of types', () => {
    const sources = {
      'runtime/base/a.ts': "import type { B } from './b.ts'",
      'runtime/base/b.ts': "import { a } from './a.ts'",
    }
    assert.deepEqual(problems(sources), [
      'Circle of imports: runtime/base/a.ts -> runtime/base/b.ts -> runtime/base/a.ts.',
    ])
  })
})
