import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { WIRE_VERSION } from '../../../runtime/protocol/frames.ts'

const run = promisify(execFile)
const native = fileURLToPath(new URL('../../../runtime/native/', import.meta.url))

/** Room for a download and a bundle of many containers' worth of growth, and still small beside any image. */
const MOST_BYTES = 80_000

describe('the binaries in the repository', () => {
  let folder: string
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'moorage-rebuild-'))
    await run('sh', [join(native, 'build.sh'), folder])
  })
  after(() => rm(folder, { recursive: true }))

  for (const name of ['moorage-agent-amd64', 'moorage-agent-arm64']) {
    it(`${name} is what build.sh makes of the source, to the byte`, async () => {
      const [ours, built] = await Promise.all([readFile(join(native, 'bin', name)), readFile(join(folder, name))])
      assert.ok(ours.equals(built), 'runtime/native/build.sh was not run after the last change')
      assert.ok(ours.length < MOST_BYTES, `${ours.length} bytes`)
    })
  }

  it('run on their architectures', async () => {
    const { stdout: here } = await run(
      join(native, 'bin', `moorage-agent-${process.arch === 'x64' ? 'amd64' : 'arm64'}`),
      ['--version'],
    )
    const { stdout: arm64 } = await run('qemu-aarch64-static', [join(native, 'bin/moorage-agent-arm64'), '--version'])
    assert.deepEqual([here, arm64], [`${WIRE_VERSION}\n`, `${WIRE_VERSION}\n`])
  })
})
