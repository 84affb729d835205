// What `moorage dev` says: of what runs, of what ends, and of what cannot run.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { Cli } from '../../support/cli.ts'
import type { Project } from '../../support/project.ts'
import { copyFixture, until } from '../../support/session.ts'

describe('moorage dev', () => {
  let project: Project
  let cli: Cli
  let url: string
  before(async () => {
    project = await copyFixture('box')
    cli = Cli.start(project.folder, { terminal: true })
    url = await cli.url()
  })
  after(async () => {
    await cli?.[Symbol.asyncDispose]()
    await project?.[Symbol.asyncDispose]()
  })

  const post = async (path: string, body?: object): Promise<string> => {
    const answer = await fetch(new URL(path, url), { method: 'POST', ...(body && { body: JSON.stringify(body) }) })
    return answer.text()
  }
  /** What it printed from a place on, by whole lines that name the object or are indented. */
  const about = (object: string, from: number): string[] => {
    const lines = cli.output.slice(from).split('\n')
    const first = lines.findIndex((line) => line.startsWith(`${object}: `))
    const next = lines.findIndex((line, i) => i > first && !line.startsWith('  '))
    return lines.slice(first, next)
  }

  it('prefixes what containers write with their object', async () => {
    await post('/Box/one/start')
    await cli.line(/^\[Box\/one\] box one begins$/m)
    await cli.line(/^\[Box\/one\] listening on 8080$/m)
  })

  it('says in a few plain lines why a container ended, with what it wrote last and what to do', async () => {
    const from = cli.output.length
    await post('/Box/two/start', { entrypoint: ['sh', '-c', 'echo about to fail; exit 3'] })
    await cli.line(/\| about to fail\n/, from)
    assert.deepEqual(about('Box/two', from), [
      'Box/two: The root process ended by itself with exit code 3.',
      '  | about to fail',
    ])
  })

  it('says in a few plain lines why a container did not start', async () => {
    const from = cli.output.length
    await post('/Box/three/start', { entrypoint: ['nope'] })
    await cli.line(/entrypoint" of start\(\)\.\n/, from)
    assert.deepEqual(about('Box/three', from), [
      'Box/three: It did not start (start): cannot execute "nope": no such file or directory',
      '  Check CMD and ENTRYPOINT of the image, and "entrypoint" of start().',
    ])
  })

  it('builds an image anew at r, where something changed', async () => {
    const from = cli.output.length
    await writeFile(join(project.folder, 'container', 'version.txt'), 'pressed\n')
    cli.child.stdin!.write('r')
    await cli.line(/Box: image moorage\/box-box:\w+ ready/, from)
    await until('the new version answers', async () => (await post('/Box/one/port/8080/')).includes('"pressed"'))
  })

  it('refuses a second one in the same project: it names the first and how to use it', async () => {
    await using second = Cli.start(project.folder)
    assert.equal((await second.ended).code, 1)
    const { session, pid } = await cli.lock()
    assert.match(
      second.output,
      new RegExp(
        `^This project already runs: session ${session}, process ${pid}, which serves ${url}, since .*\\.\n {2}Use it: ${url}\n`,
      ),
    )
    assert.equal(await (await fetch(url)).text(), 'hello')
  })
})

describe('moorage dev that cannot run', () => {
  let project: Project
  before(async () => {
    project = await copyFixture('box')
  })
  after(() => project?.[Symbol.asyncDispose]())

  it('ends with 1 and says where it looked for a config', async () => {
    await using cli = Cli.start(join(project.folder, 'container'))
    assert.equal((await cli.ended).code, 1)
    assert.match(
      cli.output,
      /^There is no wrangler config in .*container\.\n {2}Run it in the folder of a project with a wrangler\.jsonc, \.json or \.toml, or name one: /,
    )
  })

  it('ends with 1 where the port is in use, and says how to choose another', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as { port: number }
    await using cli = Cli.start(project.folder, { args: ['--port', String(port)] })
    assert.equal((await cli.ended).code, 1)
    assert.match(
      cli.output,
      new RegExp(`Port ${port} is in use by another program\\.\n {2}Choose another one with --port`),
    )
    other.close()
  })

  it('ends with 1 where MOORAGE_NODE is too old for wrangler, or no Node', async (t) => {
    await using none = Cli.start(project.folder, { env: { MOORAGE_NODE: '/bin/false' } })
    assert.equal((await none.ended).code, 1)
    assert.match(
      none.output,
      /^MOORAGE_NODE is \/bin\/false, which is no Node program\.\n {2}Install Node 22\.12\.0 or newer/,
    )
    const old = process.env.MOORAGE_TEST_NODE
    if (old === undefined || !/^v20/.test(execFileSync(old, ['--version'], { encoding: 'utf8' }))) {
      return t.skip('there is no old Node here')
    }
    await using cli = Cli.start(project.folder, { env: { MOORAGE_NODE: old } })
    assert.equal((await cli.ended).code, 1)
    assert.match(
      cli.output,
      /^MOORAGE_NODE is Node 20\.\d+\.\d+; wrangler needs 22\.12\.0 or newer\.\n {2}Install Node/,
    )
  })

  it('ends with 1 where no engine answers, and says what was tried', async () => {
    await using cli = Cli.start(project.folder, { env: { DOCKER_HOST: 'unix:///nowhere/docker.sock' } })
    assert.equal((await cli.ended).code, 1)
    assert.match(
      cli.output,
      /No container engine was found\. Tried:\n {2}DOCKER_HOST \(.*\/nowhere\/docker\.sock.*\): is not there/,
    )
  })
})
