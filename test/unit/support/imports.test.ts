import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { circles, importsOf } from '../../support/check/imports.mjs'

describe('importsOf', () => {
  it('finds every way to name another file, with its line', () => {
    const text = [
      "import { a } from './a.ts'",
      "import type { B } from '../base/b.ts'",
      'import {',
      '  c,',
      "} from './deep/c.ts'",
      "export { d } from './d.ts'",
      "import './e.ts'",
      "const f = await import('./f.ts')",
    ].join('\n')
    assert.deepEqual(importsOf('runtime/engine/x.ts', text), [
      { target: 'runtime/engine/a.ts', line: 1 },
      { target: 'runtime/base/b.ts', line: 2 },
      { target: 'runtime/engine/deep/c.ts', line: 5 },
      { target: 'runtime/engine/d.ts', line: 6 },
      { target: 'runtime/engine/e.ts', line: 7 },
      { target: 'runtime/engine/f.ts', line: 8 },
    ])
  })

  it('passes over packages, and modules that are only text', () => {
    const text = [
      "import ws from 'ws'",
      "import { readFile } from 'node:fs/promises'",
      "const entry = `import * as user from '${user}'`",
    ]
    assert.deepEqual(importsOf('runtime/a.ts', text.join('\n')), [])
  })
})

describe('circles', () => {
  it('tells each circle once, its first file in alphabetical order first', () => {
    const graph = new Map([
      ['c', ['a']],
      ['a', ['b', 'x']],
      ['b', ['c']],
      ['x', []],
    ])
    assert.deepEqual(circles(graph), [['a', 'b', 'c']])
  })

  it('tells nothing where two ways lead to one file', () => {
    const graph = new Map([
      ['a', ['b', 'c']],
      ['b', ['d']],
      ['c', ['d']],
    ])
    assert.deepEqual(circles(graph), [])
  })
})
