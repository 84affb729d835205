import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { build } from 'esbuild'
import { placesOf, traceSource, traceText } from '../../../runtime/wrangler/trace.ts'

const SOURCE = `import { helper } from 'lib'
export function run() {
  return helper(() => new Error('here').stack)
}
`

/** A project, bundled as wrangler does, and the stack of a call in it. */
async function setUp(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'moorage-trace-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  await mkdir(join(folder, 'src'))
  await mkdir(join(folder, 'node_modules', 'lib'), { recursive: true })
  await writeFile(join(folder, 'src', 'index.ts'), SOURCE)
  await writeFile(join(folder, 'node_modules', 'lib', 'index.js'), 'export const helper = (f) => f()\n')
  await build({
    entryPoints: [join(folder, 'src', 'index.ts')],
    bundle: true,
    format: 'esm',
    sourcemap: true,
    outfile: join(folder, 'out', 'index.mjs'),
    absWorkingDir: folder,
  })
  const module = (await import(join(folder, 'out', 'index.mjs'))) as { run(): string }
  const bundle = { sourceMapPath: 'index.mjs.map', sourceMapMetadata: { entryDirectory: join(folder, 'out') } }
  return { folder, stack: module.run(), bundle }
}

describe('the source of a stack', () => {
  it('is the first line in it that is the developer’s own', async (t) => {
    const { folder, stack, bundle } = await setUp(t)
    assert.equal(await traceSource(stack, bundle, folder), 'src/index.ts:3')
  })

  it('is unknown where the bundle has no map', async (t) => {
    const { folder, stack } = await setUp(t)
    assert.equal(await traceSource(stack, {}, folder), undefined)
  })

  it('is unknown where nothing of the stack is in the project', async (t) => {
    const { folder, bundle } = await setUp(t)
    assert.equal(await traceSource('Error\n    at x (index.js:9999:1)', bundle, join(folder, 'elsewhere')), undefined)
  })

  it('is looked for at each place, top first', () => {
    assert.deepEqual(placesOf('Error: x\n    at a (file:///w/index.js:10:5)\n    at index.js:2:3\n    at native'), [
      { line: 9, column: 4 },
      { line: 1, column: 2 },
    ])
  })
})

describe('a text with places of the bundle', () => {
  it('leads to the developer’s files, and leaves out what is not theirs', async (t) => {
    const { folder, stack, bundle } = await setUp(t)
    const workerds = stack
      .replace(/file:.*?index\.mjs/g, 'box.entry.js')
      .split('\n')
      .slice(0, 4)
      .join('\n')
    const isOurs = (file: string): boolean => file.includes('/lib/')
    assert.equal(
      await traceText(workerds, bundle, folder, isOurs),
      'Error: here\n    at src/index.ts:3:23\n    at Module.run (src/index.ts:3:10)',
    )
  })

  it('stays as it is where there are none', async () => {
    assert.equal(await traceText('No such thing: x.ts:1:2', {}, '/', () => false), 'No such thing: x.ts:1:2')
  })
})
