import assert from 'node:assert/strict'
import { chmod, mkdir, mkdtemp, rename, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, it } from 'node:test'
import { extract } from 'tar-stream'
import { readContext } from '../../../runtime/image/context.ts'
import { HashCache } from '../../../runtime/image/hash-cache.ts'
import { readContent } from '../../../runtime/image/source.ts'
import { contextTar } from '../../../runtime/image/tar.ts'

/** A folder with files; a key that ends in / is a folder, a value that starts with -> a link. */
async function folderOf(files: Record<string, string>) {
  const folder = await mkdtemp(path.join(tmpdir(), 'moorage-context-'))
  const write = async (name: string, text: string) => {
    const file = path.join(folder, name)
    await mkdir(name.endsWith('/') ? file : path.dirname(file), { recursive: true })
    if (text.startsWith('-> ')) await symlink(text.slice(3), file)
    else if (!name.endsWith('/')) await writeFile(file, text)
  }
  for (const [name, text] of Object.entries(files)) await write(name, text)
  return {
    folder,
    write,
    dockerfile: path.join(folder, 'Dockerfile'),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  }
}

const names = async (dockerfile: string, folder: string) =>
  (await readContext(dockerfile, folder)).entries.map((entry) => entry.name + (entry.type === 'folder' ? '/' : ''))

describe('readContext', () => {
  it('lists all that is there, sorted', async () => {
    await using at = await folderOf({ Dockerfile: 'FROM a', 'b/c': '', 'b/a': '', 'empty/': '', link: '-> b' })
    assert.deepEqual(await names(at.dockerfile, at.folder), ['Dockerfile', 'b/', 'b/a', 'b/c', 'empty/', 'link'])
  })

  it('leaves out the state of wrangler, which changes with each request, wherever it lies', async () => {
    await using at = await folderOf({ Dockerfile: 'FROM a', '.wrangler/state/x': '', 'b/.wrangler/y': '', 'b/c': '' })
    assert.deepEqual(await names(at.dockerfile, at.folder), ['Dockerfile', 'b/', 'b/c'])
  })

  it('leaves out what .dockerignore says, but never the Dockerfile and itself', async () => {
    await using at = await folderOf({
      Dockerfile: 'FROM a',
      '.dockerignore': '*\n!src\nsrc/*.log',
      'src/a.js': '',
      'src/b.log': '',
      'node_modules/x/y': '',
    })
    assert.deepEqual(await names(at.dockerfile, at.folder), ['.dockerignore', 'Dockerfile', 'src/', 'src/a.js'])
  })

  it('sends a Dockerfile from a folder that is left out', async () => {
    await using at = await folderOf({ 'docker/Dockerfile': 'FROM a', 'docker/b': '', '.dockerignore': 'docker' })
    assert.deepEqual(await names(path.join(at.folder, 'docker/Dockerfile'), at.folder), [
      '.dockerignore',
      'docker/',
      'docker/Dockerfile',
    ])
  })

  it('keeps the folders of what is taken back', async () => {
    await using at = await folderOf({
      Dockerfile: 'FROM a',
      '.dockerignore': 'docs\n!docs/a/b.md',
      'docs/a/b.md': '',
      'docs/c/d': '',
    })
    assert.deepEqual(await names(at.dockerfile, at.folder), [
      '.dockerignore',
      'Dockerfile',
      'docs/',
      'docs/a/',
      'docs/a/b.md',
    ])
  })

  it('does not look into what is left out', async () => {
    await using at = await folderOf({
      Dockerfile: 'FROM a',
      '.dockerignore': 'node_modules',
      'node_modules/x/y': '',
      'src/a': '',
    })
    assert.deepEqual((await readContext(at.dockerfile, at.folder)).looked.toSorted(), ['', 'src'])
  })

  it("prefers the Dockerfile's own ignore file", async () => {
    await using at = await folderOf({
      'web.Dockerfile': 'FROM a',
      '.dockerignore': 'b',
      'web.Dockerfile.dockerignore': 'a',
      a: '',
      b: '',
    })
    assert.deepEqual(await names(path.join(at.folder, 'web.Dockerfile'), at.folder), [
      '.dockerignore',
      'b',
      'web.Dockerfile',
      'web.Dockerfile.dockerignore',
    ])
  })

  it('sends a Dockerfile from outside under a name that COPY does not see', async () => {
    await using at = await folderOf({ 'docker/Dockerfile': 'FROM a', 'app/a': '', 'app/.dockerignore': 'x' })
    const context = await readContext(path.join(at.folder, 'docker/Dockerfile'), path.join(at.folder, 'app'))
    assert.deepEqual(
      context.entries.map((entry) => entry.name),
      ['a'],
    )
    assert.equal(context.extra.get(context.dockerfileName), 'FROM a')
    assert.equal(context.extra.get('.dockerignore'), `x\n.dockerignore\n${context.dockerfileName}\n`)
  })

  it('knows what only the builder may see', async () => {
    await using at = await folderOf({ Dockerfile: 'FROM a', '.dockerignore': 'Dockerfile', 'out/Dockerfile': 'FROM a' })
    const hidden = async (dockerfile: string, folder: string) =>
      [...(await readContext(path.join(at.folder, dockerfile), path.join(at.folder, folder))).hidden].toSorted()
    assert.deepEqual(await hidden('Dockerfile', '.'), ['Dockerfile'])
    assert.deepEqual(await hidden('out/Dockerfile', '.'), [])
    assert.deepEqual(await hidden('Dockerfile', 'out'), ['.dockerignore', '.moorage.dockerfile'])
  })

  it('names what is missing or wrong', async () => {
    await using at = await folderOf({ Dockerfile: 'FROM a', '.dockerignore': 'a\n!' })
    await assert.rejects(readContext(path.join(at.folder, 'Nope'), at.folder), {
      code: 'dockerfile-missing',
      message: `There is no Dockerfile at ${at.folder}/Nope.`,
    })
    await assert.rejects(readContext(at.dockerfile, at.folder), {
      code: 'config-invalid',
      message: /\.dockerignore, line 2: "!" names nothing/,
    })
    await assert.rejects(readContext(at.dockerfile, path.join(at.folder, 'nope')), {
      code: 'config-invalid',
      message: /cannot be read/,
    })
  })
})

describe('the digest of a content', () => {
  const digest = async (
    at: { dockerfile: string; folder: string },
    options: {
      args?: Record<string, string>
      buildArgs?: Record<string, string>
      target?: string
      platform?: string
    } = {},
  ) => {
    const { args = {}, ...more } = options
    return (
      await readContent({ dockerfile: at.dockerfile, context: at.folder, args }, { cache: new HashCache(), ...more })
    ).digest
  }
  const FILES = { Dockerfile: 'FROM a', '.dockerignore': 'out', a: '1', 'b/c': '2', link: '-> a' }

  it('is the same for the same content, wherever it lies and whenever it was written', async () => {
    await using one = await folderOf(FILES)
    await using two = await folderOf(FILES)
    await utimes(path.join(two.folder, 'a'), 1, 1)
    await two.write('out/log', 'left out')
    assert.equal(await digest(one), await digest(two))
  })

  it('is another when anything changes that the image may depend on', async () => {
    await using at = await folderOf(FILES)
    const seen = [await digest(at)]
    const differs = async (what: string, options = {}) => {
      const now = await digest(at, options)
      assert.ok(!seen.includes(now), what)
      seen.push(now)
    }
    await differs('an argument', { args: { A: '1' } })
    await differs('its value', { args: { A: '1' }, buildArgs: { A: '2' } })
    await differs('the target', { target: 'x' })
    await differs('the platform', { platform: 'x' })
    await at.write('Dockerfile', 'FROM b')
    await differs('the Dockerfile')
    await at.write('b/c', '3')
    await differs('a file')
    await chmod(path.join(at.folder, 'a'), 0o755)
    await differs('a mode')
    await rename(path.join(at.folder, 'a'), path.join(at.folder, 'd'))
    await differs('a name')
    await rm(path.join(at.folder, 'link'))
    await symlink('b', path.join(at.folder, 'link'))
    await differs("a link's target")
    await at.write('empty/', '')
    await differs('an empty folder')
  })

  it('does not confuse names with contents', async () => {
    await using one = await folderOf({ Dockerfile: 'FROM a', a: 'b' })
    await using two = await folderOf({ Dockerfile: 'FROM a', ab: '' })
    assert.notEqual(await digest(one), await digest(two))
  })
})

describe('contextTar', () => {
  it('has the files with their modes and links, and no owner of this machine', async () => {
    const big = 'x'.repeat(200_000)
    await using at = await folderOf({
      Dockerfile: 'FROM a',
      'b/run.sh': 'echo',
      'b/big': big,
      empty: '',
      link: '-> b/run.sh',
    })
    await chmod(path.join(at.folder, 'b/run.sh'), 0o750)
    const context = await readContext(at.dockerfile, at.folder)
    const found: string[] = []
    const tar = contextTar(context).pipe(extract())
    for await (const entry of tar) {
      let size = 0
      for await (const chunk of entry) size += (chunk as Buffer).length
      const { name, type, mode = 0, uid, gid, linkname } = entry.header
      assert.deepEqual([uid, gid], [0, 0])
      if (name === 'b/run.sh') assert.equal(mode, 0o750)
      found.push(`${type} ${name}${linkname ? ` -> ${linkname}` : ''} ${size}`)
    }
    assert.deepEqual(found, [
      'file Dockerfile 6',
      'directory b 0',
      `file b/big ${big.length}`,
      'file b/run.sh 4',
      'file empty 0',
      'symlink link -> b/run.sh 0',
    ])
  })

  it('fails where a file vanished meanwhile', async () => {
    await using at = await folderOf({ Dockerfile: 'FROM a', gone: 'x' })
    const context = await readContext(at.dockerfile, at.folder)
    await rm(path.join(at.folder, 'gone'))
    await assert.rejects(async () => {
      for await (const _ of contextTar(context));
    }, /ENOENT.*gone/)
  })
})

describe('HashCache', () => {
  it('keeps the hash of a file that is as it was, also on disk', async () => {
    await using at = await folderOf({ a: '1' })
    const file = path.join(at.folder, 'a')
    const stats = await stat(file)
    const later = () => stats.ctimeMs + 5000
    const saved = path.join(at.folder, 'cache/hashes.json')
    const cache = new HashCache(saved, later)
    await cache.load()
    cache.set(file, stats, 'hash')
    assert.equal(cache.get(file, stats), 'hash')
    await cache.save()
    const next = new HashCache(saved)
    await next.load()
    assert.equal(next.get(file, stats), 'hash')
    await writeFile(file, '22')
    assert.equal(next.get(file, await stat(file)), undefined)
  })

  it('keeps none of a file that was written just now, as it may be written again in the same instant', async () => {
    await using at = await folderOf({ a: '1' })
    const file = path.join(at.folder, 'a')
    const stats = await stat(file)
    const cache = new HashCache(undefined, () => stats.ctimeMs + 10)
    cache.set(file, stats, 'hash')
    assert.equal(cache.get(file, stats), undefined)
  })

  it('does without a file that is not its own', async () => {
    await using at = await folderOf({ cache: 'nonsense' })
    await new HashCache(path.join(at.folder, 'cache')).load()
  })
})
