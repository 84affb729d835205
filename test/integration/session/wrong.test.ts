// Projects that cannot run as they are: one error that names what is wrong and the way out, and nothing left behind.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { MoorageError } from '../../../runtime/index.ts'
import { below, docker, filesOf } from '../../support/left.ts'
import { copyFixture, type RunOptions, runIn } from '../../support/session.ts'

/** What a start says in the end, as text, with the project's folder as `<project>`. */
async function refusal(folder: string, options: RunOptions = {}): Promise<string> {
  const config = options.config ?? folder
  try {
    const running = await runIn(folder, { ...options, config })
    await running.session.dispose()
    return 'It started.'
  } catch (error) {
    if (!(error instanceof MoorageError)) throw error
    assert.deepEqual(await filesOf(folder), [])
    assert.deepEqual(
      (await below(process.pid)).filter(({ command }) => /wrangler\.js|workerd/.test(command)),
      [],
    )
    const text = [`${error.code}: ${error.message}`, ...error.advice.map((advice) => `  ${advice}`)].join('\n')
    return text.replaceAll(folder, '<project>')
  }
}

/** Changes the config of a copy of the box. */
async function withConfig(change: (text: string) => string): Promise<AsyncDisposable & { folder: string }> {
  const project = await copyFixture('box')
  const file = join(project.folder, 'wrangler.jsonc')
  await writeFile(file, change(await readFile(file, 'utf8')))
  return project
}

describe('a project that cannot run', () => {
  after(async () => {
    // Others may run sessions on the same engine meanwhile: only those of this process count.
    const format = '{{.ID}} {{.Label "moorage.owner"}}'
    const all = await docker(['ps', '--all', '--filter', 'label=moorage.owner', '--format', format])
    assert.deepEqual(
      all.split('\n').filter((line) => line.includes(`:${process.pid}:`)),
      [],
    )
  })

  it('has no config', async () => {
    const folder = await realpath(await mkdtemp(join(tmpdir(), 'moorage-wrong-')))
    assert.equal(
      await refusal(folder),
      'no-config: There is no wrangler config in <project>.\n' +
        '  Run it in the folder of a project with a wrangler.jsonc, .json or .toml, or name one: moorage dev --config path/to/wrangler.jsonc',
    )
    assert.equal(
      await refusal(folder, { config: join(folder, 'other.toml') }),
      'no-config: There is no file <project>/other.toml.\n' +
        '  Run it in the folder of a project with a wrangler.jsonc, .json or .toml, or name one: moorage dev --config path/to/wrangler.jsonc',
    )
    await rm(folder, { recursive: true })
  })

  it('has no wrangler, or one that is too old', async () => {
    await using project = await copyFixture('box')
    await rm(join(project.folder, 'node_modules'))
    assert.equal(
      await refusal(project.folder),
      'no-wrangler: The project of <project>/wrangler.jsonc has no wrangler.\n' +
        '  Run `npm install --save-dev wrangler@latest` in <project>.',
    )
    const old = join(project.folder, 'node_modules', 'wrangler')
    await mkdir(old, { recursive: true })
    await writeFile(join(old, 'package.json'), JSON.stringify({ name: 'wrangler', version: '4.39.0' }))
    assert.equal(
      await refusal(project.folder),
      "wrangler-too-old: The project's wrangler is 4.39.0; Moorage needs 4.40.0 or newer.\n" +
        '  Run `npm install --save-dev wrangler@latest` in <project>.',
    )
  })

  it('is to run with a Node that is too old, or none', async (t) => {
    await using project = await copyFixture('box')
    const node = process.env.MOORAGE_TEST_NODE
    assert.match(
      await refusal(project.folder, { node: join(project.folder, 'wrangler.jsonc') }),
      /^node-too-old: .*<project>\/wrangler\.jsonc.* is no Node program\.\n {2}Install Node 22\.12\.0 or newer/,
    )
    if (node === undefined || !/^v(1|20|21)/.test((await run20(node)) ?? '')) return t.skip('there is no old Node here')
    assert.match(
      await refusal(project.folder, { node }),
      /^node-too-old: .*Node 20\.\d+\.\d+; wrangler needs 22\.12\.0 or newer\./,
    )
  })

  it('has no containers', async () => {
    await using project = await withConfig((text) => text.replace(/"containers": \[[^\]]*\],/, ''))
    assert.equal(
      await refusal(project.folder),
      'no-containers: <project>/wrangler.jsonc has no containers section.\n' +
        '  Add `containers: [{ class_name: "MyContainer", image: "./Dockerfile" }]`, or run `wrangler dev`, which is all that this Worker needs.',
    )
  })

  it('names a class that the Worker does not export', async () => {
    await using project = await withConfig((text) =>
      text.replace('"class_name": "Crate", "image"', '"class_name": "Chest", "image"'),
    )
    assert.equal(
      await refusal(project.folder),
      'class-not-exported: The config gives Chest a container, but <project>/src/index.ts does not export it.\n' +
        "  Export it: `export { Chest } from './…'`, or correct the class name in the config.\n" +
        '  Exported are: Box, Crate, Shelf.',
    )
  })

  it('names a Dockerfile that is not there', async () => {
    await using project = await withConfig((text) => text.replace('crate.Dockerfile', 'chest.Dockerfile'))
    assert.equal(
      await refusal(project.folder),
      'dockerfile-missing: The Dockerfile of Crate is not there: <project>/container/chest.Dockerfile\n' +
        '  Correct `image` of this container in the config, or write the file.',
    )
  })

  it('names an instance type that there is none of', async () => {
    await using project = await withConfig((text) => text.replace('"lite"', '"huge"'))
    const text = await refusal(project.folder)
    assert.match(text, /^config-invalid: /)
    assert.match(text, /huge/)
    assert.match(text, /lite/)
  })

  it('has a config that cannot be read', async () => {
    await using project = await withConfig((text) => text.replace('"main":', '"main"'))
    const text = await refusal(project.folder)
    assert.match(text, /^config-invalid: /)
    assert.match(text, /<project>\/wrangler\.jsonc|wrangler\.jsonc/)
  })

  for (const which of ['port', 'inspectorPort'] as const) {
    it(`wants a ${which} that is in use`, async () => {
      await using project = await copyFixture('box')
      const other = createServer().listen(0, '127.0.0.1')
      await once(other, 'listening')
      const { port } = other.address() as { port: number }
      const way = which === 'port' ? '--port' : '--inspector-port'
      assert.equal(
        await refusal(project.folder, { [which]: port }),
        `port-in-use: Port ${port} is in use by another program.\n` +
          `  Choose another one with ${way}, or end the program that listens there.`,
      )
      other.close()
    })
  }

  it('runs already', async () => {
    await using project = await copyFixture('box')
    await using first = await runIn(project.folder)
    const { id, urls } = first.session
    const error = await runIn(project.folder).then(
      () => undefined,
      (reason: unknown) => reason,
    )
    assert.ok(error instanceof MoorageError)
    assert.equal(error.code, 'session-exists')
    assert.match(
      error.message,
      new RegExp(`^This project already runs: session ${id}, process ${process.pid}, which serves ${urls[0]}, since `),
    )
    assert.deepEqual(error.advice, [
      `Use it: ${urls[0]}`,
      `Or end it first: kill ${process.pid} (it cleans up after itself).`,
    ])
    // The first one does not mind.
    assert.equal(await first.text('/'), 'hello')
  })
})

/** What a Node says of its version. */
async function run20(node: string): Promise<string | undefined> {
  const { execFile } = await import('node:child_process')
  return new Promise((resolve) => execFile(node, ['--version'], (error, stdout) => resolve(error ? undefined : stdout)))
}
