import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { describe, it } from 'node:test'
import { pack } from 'tar-stream'
import { PathStat } from '../../runtime/engine/answers.ts'
import type { Engine } from '../../runtime/engine/engine.ts'
import { MoorageError } from '../../runtime/protocol/errors.ts'
import type { ContainerId } from '../../runtime/protocol/model.ts'
import { MAX_FILE_BYTES, readContainerFile, readImageFile } from '../../runtime/read-file.ts'

const FOLDER = 0x8000_01ed
const LINK = 0x0800_01ff
const SOCKET = 0x0100_01a4
const FILE = 0o644
const BOX = 'box' as ContainerId

/** What is in a container: `mode`, `size`, where a link leads, and what is then sent. */
type Entry = { mode: number; size?: number; linkTarget?: string; bytes?: Buffer; type?: 'file' | 'symlink' }

function engineWith(entries: Record<string, Entry>): { engine: Engine; log: string[] } {
  const log: string[] = []
  const engine = {
    openPath: async (_: ContainerId, path: string) => {
      log.push(path)
      const entry = entries[path]
      if (entry === undefined) throw new MoorageError('engine-error', 'none', { detail: { problem: 'not-found' } })
      const tar = pack()
      if (entry.type === 'symlink') tar.entry({ name: 'x', type: 'symlink', linkname: '/y' })
      else tar.entry({ name: 'x' }, entry.bytes ?? Buffer.from(path))
      tar.finalize()
      const { mode, size = 1, linkTarget } = entry
      return { stat: PathStat.parse({ mode, size, linkTarget }), tar: Readable.from(tar) }
    },
    createContainer: async ({ Image }: { Image: string }) => {
      log.push(`create ${Image}`)
      return BOX
    },
    remove: async () => void log.push('remove'),
  } as unknown as Engine
  return { engine, log }
}

const read = async (entries: Record<string, Entry>, path: string): Promise<string> =>
  Buffer.from(await readContainerFile(engineWith(entries).engine, BOX, path)).toString()

describe('a file of a container', () => {
  it('is read, by way of links too', async () => {
    const entries = { '/a': { mode: FILE }, '/link': { mode: LINK, linkTarget: '/a' } }
    assert.equal(await read(entries, '/a'), '/a')
    assert.equal(await read(entries, '/link'), '/a')
  })

  it('is refused in words where it is none', async () => {
    const entries = {
      '/folder': { mode: FOLDER },
      '/socket': { mode: SOCKET },
      '/large': { mode: FILE, size: MAX_FILE_BYTES + 1 },
      '/loop': { mode: LINK, linkTarget: '/back' },
      '/back': { mode: LINK, linkTarget: '/loop' },
      '/broken': { mode: LINK, linkTarget: '/none' },
      '/self': { mode: LINK, linkTarget: '' },
    }
    const refused = async (path: string): Promise<string> => {
      const error = await read(entries, path).then(
        () => assert.fail(),
        (thrown: MoorageError) => thrown,
      )
      assert.equal(error.code, 'no-file')
      return error.message
    }
    assert.equal(await refused('/folder'), '/folder is a folder.')
    assert.equal(await refused('/socket'), '/socket is no ordinary file.')
    assert.equal(await refused('/large'), '/large is larger than 16 MiB.')
    assert.equal(await refused('/loop'), '/loop is a link that leads nowhere.')
    assert.equal(await refused('/self'), '/self is a link that leads nowhere.')
    assert.equal(await refused('/broken'), 'There is no /broken.')
    assert.equal(await refused('/none'), 'There is no /none.')
    for (const path of ['', 'a', '../a', '/a\0b', `/${'a'.repeat(5_000)}`])
      assert.match(await refused(path), /begins with/)
  })

  it('is not believed: one that turns out longer, or a link, is not read', async () => {
    const bytes = Buffer.alloc(MAX_FILE_BYTES + 1)
    await assert.rejects(read({ '/a': { mode: FILE, bytes } }, '/a'), { message: '/a is larger than 16 MiB.' })
    await assert.rejects(read({ '/a': { mode: FILE, type: 'symlink' } }, '/a'), { code: 'no-file' })
  })
})

describe('a file of an image', () => {
  it('is read through a container that is removed, whatever happens', async () => {
    const { engine, log } = engineWith({ '/a': { mode: FILE } })
    assert.equal(Buffer.from(await readImageFile(engine, 'i', {}, '/a')).toString(), '/a')
    await assert.rejects(readImageFile(engine, 'i', {}, '/b'), { code: 'no-file' })
    assert.deepEqual(log, ['create i', '/a', 'remove', 'create i', '/b', 'remove'])
  })
})
