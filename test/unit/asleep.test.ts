import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { type ObjectKey, objectKey } from '../../runtime/protocol/model.ts'
import { Remembered } from '../../runtime/remembered.ts'
import { plainClasses, storedObjects } from '../../runtime/stored.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'moorage-asleep-'))
})
afterEach(() => rm(folder, { recursive: true }))

const id = (n: number): string => n.toString(16).padStart(64, '0')

describe('what is remembered of objects', () => {
  const open = async (): Promise<Remembered> => {
    const remembered = new Remembered(join(folder, 'moorage', 'objects.json'))
    await remembered.load()
    return remembered
  }

  it('is there in the next session', async () => {
    const first = await open()
    first.saw(objectKey('Q', 'a'), { name: 'alice', wokeAt: 5 })
    first.saw(objectKey('Q', 'b'), { wokeAt: 6 })
    await first.close()
    const next = await open()
    assert.deepEqual(next.get(objectKey('Q', 'a')), { name: 'alice', wokeAt: 5 })
    assert.deepEqual(next.get(objectKey('Q', 'b')), { wokeAt: 6 })
    assert.deepEqual(await readdir(join(folder, 'moorage')), ['objects.json'])
  })

  it('keeps a name that the platform does not tell again', async () => {
    const remembered = await open()
    remembered.saw(objectKey('Q', 'a'), { name: 'alice', wokeAt: 5 })
    remembered.saw(objectKey('Q', 'a'), { wokeAt: 7 })
    assert.deepEqual(remembered.get(objectKey('Q', 'a')), { name: 'alice', wokeAt: 7 })
  })

  it('is nothing where the file is none of ours, and writes none where nothing was seen', async () => {
    await mkdir(join(folder, 'moorage'))
    const file = join(folder, 'moorage', 'objects.json')
    for (const text of ['', '{', '{"version":2,"objects":{}}', '{"version":1,"objects":{"Q/a":{"name":7}}}']) {
      await writeFile(file, text)
      const remembered = await open()
      assert.equal(remembered.get(objectKey('Q', 'a')), undefined)
      await remembered.close()
      assert.equal(await readFile(file, 'utf8'), text)
    }
  })

  it('is of the objects that woke last, when there are too many', async () => {
    const remembered = await open()
    for (let n = 0; n < 6_000; n++) remembered.saw(objectKey('Q', id(n)), { name: `n${n}`, wokeAt: n })
    await remembered.close()
    const next = await open()
    const known = (n: number) => next.get(objectKey('Q', id(n)))?.name
    assert.deepEqual([known(999), known(1_000), known(5_999)], [undefined, 'n1000', 'n5999'])
  })
})

describe('objects in storage', () => {
  const project = {
    name: 'shop',
    containers: [{ className: 'Cart' }] as never,
    classes: ['Cart', 'Room', 'Empty'],
  }
  const store = async (className: string, names: string[]): Promise<void> => {
    const path = join(folder, '.wrangler', 'state', 'v3', 'do', `shop-${className}`)
    await mkdir(path, { recursive: true })
    await Promise.all(names.map((name) => writeFile(join(path, name), '')))
  }

  it('of a class with a container are asleep, with what is remembered of them', async () => {
    await store('Cart', [`${id(1)}.sqlite`, `${id(1)}.sqlite-wal`, 'metadata.sqlite', `${id(2)}.sqlite`, 'x.sqlite'])
    const remembered = (key: ObjectKey) => (key === objectKey('Cart', id(2)) ? { name: 'bob', wokeAt: 3 } : undefined)
    const asleep = { className: 'Cart', memory: 'asleep', container: { state: 'none' } }
    const objects = await storedObjects(folder, project, remembered)
    assert.deepEqual(
      objects.sort((a, b) => a.id.localeCompare(b.id)),
      [
        { ...asleep, key: objectKey('Cart', id(1)), id: id(1) },
        { ...asleep, key: objectKey('Cart', id(2)), id: id(2), name: 'bob', wokeAt: 3 },
      ],
    )
  })

  it('of other classes are counted', async () => {
    await store('Room', [`${id(1)}.sqlite`, `${id(2)}.sqlite`, 'metadata.sqlite'])
    assert.deepEqual(await plainClasses(folder, project), [
      { className: 'Room', project: 'shop', objects: 2 },
      { className: 'Empty', project: 'shop', objects: 0 },
    ])
  })

  it('are none before anything was stored', async () => {
    assert.deepEqual(await storedObjects(folder, project, () => undefined), [])
  })
})
