import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { removeLeft } from '../../../runtime/wrangler/left.ts'

describe('what a killed session has left', () => {
  it('is its folder and its lock', async () => {
    const home = await mkdtemp(join(tmpdir(), 'moorage-left-'))
    const lock = join(home, 'session.json')
    await writeFile(lock, '{"session":"dead"}')
    await mkdir(join(home, 'dead', 'logs'), { recursive: true })
    await removeLeft({ session: 'dead', folder: join(home, 'dead'), lock })
    assert.deepEqual(await readdir(home), [])
    // Called again, or too late, it finds nothing.
    await removeLeft({ session: 'dead', folder: join(home, 'dead'), lock })
    await rm(home, { recursive: true })
  })

  it('is not the lock that another session has taken over', async () => {
    const home = await mkdtemp(join(tmpdir(), 'moorage-left-'))
    const lock = join(home, 'session.json')
    await writeFile(lock, '{"session":"living"}')
    await removeLeft({ session: 'dead', folder: join(home, 'dead'), lock })
    assert.equal(await readFile(lock, 'utf8'), '{"session":"living"}')
    await rm(home, { recursive: true })
  })
})
