import assert from 'node:assert/strict'
import { appendFile, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { ObjectLog } from '../../../runtime/object/log.ts'

/** A line of this many characters: 64 of them are as much as memory holds. */
const CHARS = 4_096
const IN_MEMORY = 64

describe('an object’s log', () => {
  let folder = ''
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'moorage-log-'))
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  const open = (): ObjectLog => new ObjectLog(join(folder, 'logs', 'a.log'))
  const add = (log: ObjectLog, number: number, life = 1): void => {
    log.add({ at: number, life, stream: 'stdout', text: `${number} `.padEnd(CHARS, '.') })
  }
  const numbers = async (log: ObjectLog): Promise<number[]> => (await log.read()).map((line) => line.at)
  const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i)

  it('touches no disk while it fits into memory', async () => {
    const log = open()
    for (const i of upTo(IN_MEMORY)) add(log, i)
    assert.deepEqual(await numbers(log), upTo(IN_MEMORY))
    assert.deepEqual(await readdir(folder), [])
  })

  it('moves its older half to disk, for its owner only, and reads as one, oldest first', async () => {
    const log = open()
    for (const i of upTo(200)) add(log, i)
    assert.deepEqual(await numbers(log), upTo(200))
    assert.equal((await stat(join(folder, 'logs', 'a.log'))).mode & 0o777, 0o600)
  })

  it('reads each line once, whatever is added meanwhile', async () => {
    const log = open()
    for (const i of upTo(100)) add(log, i)
    const reads = []
    for (let i = 100; i < 300; i++) {
      if (i % 10 === 0) reads.push({ count: i, lines: numbers(log) })
      add(log, i)
    }
    for (const { count, lines } of reads) assert.deepEqual(await lines, upTo(count))
  })

  it('drops the oldest where the disk has its share too', async () => {
    const log = open()
    const count = 6_000
    for (const i of upTo(count)) add(log, i)
    const kept = await numbers(log)
    assert.ok(kept.length < count && kept.length > 2_000, `${kept.length} lines`)
    assert.deepEqual(kept, upTo(count).slice(-kept.length))
    const files = await readdir(join(folder, 'logs'))
    assert.deepEqual(files.sort(), ['a.log', 'a.log.1'])
  })

  it('gives the last lines, of one life or of all', () => {
    const log = open()
    log.add({ at: 1, life: 1, stream: 'stdout', text: 'first' })
    log.add({ at: 2, life: 2, stream: 'stderr', text: 'second' })
    log.add({ at: 3, life: 2, stream: 'stdout', text: 'third' })
    assert.deepEqual(log.last(2), ['second', 'third'])
    assert.deepEqual(log.last(10, 1), ['first'])
  })

  it('passes over a line that a full disk has cut', async () => {
    const log = open()
    for (const i of upTo(100)) add(log, i)
    await log.read()
    await appendFile(join(folder, 'logs', 'a.log'), '{"at":1,"li')
    assert.deepEqual(await numbers(log), upTo(100))
  })

  it('goes on where the disk takes nothing', async () => {
    await writeFile(join(folder, 'logs'), 'a file is in the way')
    const log = open()
    for (const i of upTo(200)) add(log, i)
    const kept = await numbers(log)
    assert.ok(kept.length > 0)
    assert.deepEqual(kept, upTo(200).slice(-kept.length))
  })

  it('removes its files when it is closed', async () => {
    const log = open()
    for (const i of upTo(200)) add(log, i)
    await log.close()
    assert.deepEqual(await readdir(join(folder, 'logs')), [])
    await assert.rejects(readFile(join(folder, 'logs', 'a.log')))
  })
})
