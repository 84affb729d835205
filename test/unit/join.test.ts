import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { joinProcess } from '../../runtime/join.ts'

const EVENTS = { onMessage: () => undefined, onOutput: () => undefined }
const OPEN = { object: 'alice', argv: [], env: {}, stdin: true }

describe('joining a session', () => {
  let folder: string
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'moorage-join-'))
    await mkdir(join(folder, 'project', 'src'), { recursive: true })
    await writeFile(join(folder, 'project', 'wrangler.jsonc'), '{}')
  })
  after(() => rm(folder, { recursive: true, force: true }))

  const advice = async (path: string): Promise<string> => {
    const error = await joinProcess(join(folder, path), OPEN, EVENTS).then(
      () => undefined,
      (error: { advice: readonly string[] }) => error,
    )
    return error?.advice.join() ?? ''
  }

  it('tells a folder of the project the way to its config', async () => {
    const config = relative(process.cwd(), join(folder, 'project', 'wrangler.jsonc'))
    assert.equal(
      await advice(join('project', 'src')),
      `Run it in the folder of the project, or name its config: moorage exec alice --config ${config}`,
    )
  })

  it('says how a project is named where there is none', async () => {
    assert.match(await advice('.'), /moorage exec alice --config path\/to\/wrangler\.jsonc$/)
  })

  it('says how a session is started where none runs', async () => {
    assert.equal(await advice('project'), 'Start it first, in another terminal: moorage dev')
  })
})
