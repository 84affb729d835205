import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, it } from 'node:test'
import { HashCache } from '../../../runtime/image/hash-cache.ts'
import { readContent } from '../../../runtime/image/source.ts'
import { watchContext } from '../../../runtime/image/watch.ts'

/** A watched context; `next` is the next change that is told. */
async function watched() {
  const folder = await mkdtemp(path.join(tmpdir(), 'moorage-watch-'))
  const write = async (name: string, text: string) => {
    await mkdir(path.dirname(path.join(folder, name)), { recursive: true })
    await writeFile(path.join(folder, name), text)
  }
  await write('Dockerfile', 'FROM a')
  await write('.dockerignore', 'node_modules')
  await write('src/a', '1')
  await write('node_modules/x', '1')
  const source = { dockerfile: path.join(folder, 'Dockerfile'), context: folder, args: {} }
  const cache = new HashCache()
  const digest = async () => (await readContent(source, { cache })).digest
  const told: (string | undefined)[] = []
  let wake = () => {}
  const watch = await watchContext(source, {
    cache,
    digest: await digest(),
    settleMs: 10,
    onChange: (now) => {
      told.push(now)
      wake()
    },
  })
  return {
    folder,
    write,
    digest,
    told,
    watch,
    next: async () => {
      while (told.length === 0) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      return told.shift()
    },
    [Symbol.asyncDispose]: async () => {
      watch.dispose()
      await rm(folder, { recursive: true })
    },
  }
}

describe('watchContext', () => {
  it('tells a changed file, a new one and one in a new folder', async () => {
    await using at = await watched()
    await at.write('src/a', '2')
    assert.equal(await at.next(), await at.digest())
    await at.write('b', '')
    assert.equal(await at.next(), await at.digest())
    // A folder and what is in it may be told in two steps.
    await at.write('new/deep/c', 'c')
    const whole = await at.digest()
    while ((await at.next()) !== whole);
    await at.write('new/deep/c', 'd')
    assert.equal(await at.next(), await at.digest())
  })

  it('tells nothing of what is left out, touched, or written as it was', async () => {
    await using at = await watched()
    await at.write('node_modules/x', '2')
    await at.write('node_modules/y/z', '2')
    await utimes(path.join(at.folder, 'src/a'), 1, 1)
    await at.write('src/a', '1')
    // What is told next is the next real change, so nothing was told for these.
    await at.write('src/a', '3')
    assert.equal(await at.next(), await at.digest())
    assert.deepEqual(at.told, [])
  })

  it('tells a Dockerfile that went, and one that came back', async () => {
    await using at = await watched()
    await rm(path.join(at.folder, 'Dockerfile'))
    assert.equal(await at.next(), undefined)
    await at.write('Dockerfile', 'FROM b')
    const back = await at.digest()
    // It may be seen when it is there and empty.
    while ((await at.next()) !== back);
  })

  it('heeds a changed .dockerignore', async () => {
    await using at = await watched()
    await at.write('.dockerignore', '')
    const whole = await at.digest()
    while ((await at.next()) !== whole);
    await at.write('node_modules/x', '3')
    assert.equal(await at.next(), await at.digest())
  })

  it('tells what changed before it began', async () => {
    await using at = await watched()
    const seen = Promise.withResolvers<string | undefined>()
    const source = { dockerfile: path.join(at.folder, 'Dockerfile'), context: at.folder, args: {} }
    const watch = await watchContext(source, { cache: new HashCache(), digest: 'an older one', onChange: seen.resolve })
    assert.equal(await seen.promise, await at.digest())
    watch.dispose()
  })

  it('has nothing to watch for an image reference', async () => {
    const watch = await watchContext({ reference: 'a' }, { cache: new HashCache(), digest: '', onChange: () => {} })
    watch.dispose()
  })
})
