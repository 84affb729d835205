import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { find } from '../../../../extension/code/parser/find.ts'
import { placeOf } from '../../../../extension/code/places.ts'

const containers = (text: string) =>
  find('a.ts', text)
    .classes.filter(({ isContainer }) => isContainer)
    .map(({ name }) => name)
const execs = (text: string) => find('a.ts', text).execs.map(({ argv }) => argv)

describe('a container class is found', () => {
  const IMPORT = "import { Container } from '@cloudflare/containers'\n"
  it('by what it extends', () =>
    assert.deepEqual(containers(`${IMPORT}export class A extends Container<Env> {}`), ['A']))
  it('under another name of the import', () =>
    assert.deepEqual(containers("import { Container as Box } from '@cloudflare/containers'\nclass A extends Box {}"), [
      'A',
    ]))
  it('by a namespace', () =>
    assert.deepEqual(containers("import * as c from '@cloudflare/containers'\nclass A extends c.Container {}"), ['A']))
  it('over a class between', () =>
    assert.deepEqual(containers(`${IMPORT}class Base extends Container {}\nexport class A extends Base {}`), [
      'Base',
      'A',
    ]))
  it('as an expression', () => assert.deepEqual(containers(`${IMPORT}const A = class extends Container {}`), ['A']))
  it('and not in a comment, a string, or with a Container of another package', () => {
    assert.deepEqual(containers("// class A extends Container {}\nconst s = 'class B extends Container {}'"), [])
    assert.deepEqual(containers("import { Container } from 'pixi'\nclass A extends Container {}"), [])
    assert.deepEqual(containers('class Container {}\nclass A extends Container {}'), [])
  })
  it('in code that is not finished', () =>
    assert.deepEqual(containers(`${IMPORT}export class A extends Container { onStart( {`), ['A']))
  it('with its place', () => {
    const [found] = find('a.ts', '\n\n  export class A {}').classes
    assert.deepEqual([found?.line, found?.column], [2, 2])
  })
})

describe('a literal exec is found', () => {
  it('of ctx.container, in whatever way it is written', () => {
    assert.deepEqual(execs("await this.ctx.container.exec(['node', 'a.mjs'])"), [['node', 'a.mjs']])
    assert.deepEqual(execs("this.ctx.container!.exec(['ls'], { cwd: '/' })"), [['ls']])
    assert.deepEqual(execs('const { container } = this.ctx; container.exec([`ls`])'), [['ls']])
    assert.deepEqual(execs("const { container: box } = this.ctx; box.exec(['ls'])"), [['ls']])
    assert.deepEqual(execs("const box = this.ctx.container; box?.exec(['ls'])"), [['ls']])
  })
  it('and not where a part is not literal, or it is of something else', () => {
    assert.deepEqual(execs("this.ctx.container.exec(['node', file])"), [])
    assert.deepEqual(execs('this.ctx.container.exec([`a${b}`])'), [])
    assert.deepEqual(execs("regex.exec(['a'])"), [])
    assert.deepEqual(execs('this.ctx.container.exec([])'), [])
  })
})

describe('the place of a class that the config names', () => {
  const place = (files: Record<string, string>, className = 'Sandbox') =>
    placeOf('/p/src/index.ts', className, {
      parse: async (file) => (files[file] === undefined ? undefined : find(file, files[file])),
      resolve: (from, specifier) => new URL(specifier, `file://${from}`).pathname,
    })

  it('is in the main module', async () => {
    assert.deepEqual(await place({ '/p/src/index.ts': '\nexport class Sandbox {}' }), {
      className: 'Sandbox',
      file: '/p/src/index.ts',
      local: 'Sandbox',
      line: 1,
      column: 0,
    })
  })
  it('is where it is exported from, under whatever name', async () => {
    const files = {
      '/p/src/index.ts': "export { Box as Sandbox } from './box'",
      '/p/src/box.ts': 'class Inner {}\nexport { Inner as Box }',
    }
    const found = await place(files)
    assert.deepEqual([found?.file, found?.local], ['/p/src/box.ts', 'Inner'])
  })
  it('is found through an import that is exported, `export *`, an index, and a .js that is a .ts', async () => {
    const inner = { '/p/src/a/index.ts': 'export class Sandbox {}' }
    for (const main of [
      "import { Sandbox } from './a'\nexport { Sandbox }",
      "export * from './a'",
      "export { Sandbox } from './a/index.js'",
      "import { Sandbox as S } from './a'\nexport const Sandbox = S",
    ]) {
      assert.equal((await place({ '/p/src/index.ts': main, ...inner }))?.file, '/p/src/a/index.ts', main)
    }
  })
  it('is nowhere where modules go round in a circle, or it comes from a package', async () => {
    const circle = { '/p/src/index.ts': "export * from './b'", '/p/src/b.ts': "export * from './index'" }
    assert.equal(await place(circle), undefined)
    assert.equal(await place({ '/p/src/index.ts': "export { Sandbox } from 'package'" }), undefined)
  })
})
