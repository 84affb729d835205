import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { KeptOutput } from '../../../runtime/exec/output.ts'
import type { OutputPiece } from '../../../runtime/exec/output-file.ts'
import { OutputMemory } from '../../../runtime/exec/output-memory.ts'

async function setUp(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'moorage-output-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const file = join(folder, 'deep', 'output')
  const memory = new OutputMemory()
  return { file, folder, memory, kept: new KeptOutput(file, memory) }
}

function text(pieces: readonly OutputPiece[]): string {
  return pieces.map(({ stream, bytes }) => `${stream}:${bytes}`).join(' ')
}

function numbered(size: number): Buffer {
  const bytes = Buffer.alloc(size)
  for (let at = 0; at < size; at += 4) bytes.writeUInt32LE(at, at)
  return bytes
}

describe('what is kept of a process’s output', () => {
  it('is all of it, in order, by stream, without a file where it is short', async (t) => {
    const { kept, file } = await setUp(t)
    kept.add('stdout', Buffer.from('one'))
    kept.add('stderr', Buffer.from('two'))
    const { head, tail, lostBytes } = await kept.read()
    assert.equal(text([...head, ...tail]), 'stdout:one stderr:two')
    assert.equal(lostBytes, 0)
    assert.equal(existsSync(file), false)
  })

  it('is a copy where a piece is small: the chunk that it came in may be written over', async (t) => {
    const { kept } = await setUp(t)
    const chunk = Buffer.from('one')
    kept.add('stdout', chunk)
    chunk.fill(0)
    assert.equal(text((await kept.read()).tail), 'stdout:one')
  })

  it('is still all of it where the older part is on disk', async (t) => {
    const { kept, file } = await setUp(t)
    const pieces = Array.from({ length: 300 }, (_, i) => Buffer.alloc(1_000, String.fromCharCode(97 + (i % 26))))
    for (const piece of pieces) kept.add('stdout', piece)
    const { head, tail, lostBytes } = await kept.read()
    assert.ok(existsSync(file))
    assert.equal(lostBytes, 0)
    assert.ok(Buffer.concat([...head, ...tail].map(({ bytes }) => bytes)).equals(Buffer.concat(pieces)))
  })

  it('is the beginning and the end of what is too long, and says how much is missing', async (t) => {
    const { kept } = await setUp(t)
    const total = 20_000_000
    for (let at = 0; at < total; at += 50_000) kept.add('stdout', Buffer.alloc(50_000, 120))
    const { head, tail, lostBytes } = await kept.read()
    const bytes = [...head, ...tail].reduce((sum, piece) => sum + piece.bytes.length, 0)
    assert.ok(lostBytes > 0)
    assert.equal(bytes + lostBytes, total)
    assert.ok(tail.length > 0 && head.length > 0)
  })

  it('is a beginning without a gap, whatever the sizes of what was written', async (t) => {
    for (let seed = 1; seed <= 5; seed++) {
      const { kept } = await setUp(t)
      const all = numbered(20_000_000)
      // What a pipe hands over: sometimes little, sometimes 60 KiB.
      for (let at = 0, n = seed; at < all.length; ) {
        n = (n * 48_271) % 2_147_483_647
        const size = n % 3 === 0 ? 8 * (n % 5_000) : 61_440
        kept.add(n % 7 === 0 ? 'stderr' : 'stdout', Buffer.from(all.subarray(at, at + size)))
        at += size
      }
      const { head, tail, lostBytes } = await kept.read()
      const joined = (pieces: readonly OutputPiece[]) => Buffer.concat(pieces.map(({ bytes }) => bytes))
      const [first, last] = [joined(head), joined(tail)]
      assert.ok(first.equals(all.subarray(0, first.length)))
      assert.ok(last.equals(all.subarray(all.length - last.length)))
      assert.equal(first.length + lostBytes + last.length, all.length)
      await kept.close()
    }
  })

  it('is together what came in single bytes, and takes no more memory for it', async (t) => {
    const { memory, folder } = await setUp(t)
    const before = process.memoryUsage().arrayBuffers
    const all = Array.from({ length: 20 }, (_, i) => new KeptOutput(join(folder, `${i}`), memory))
    const byte = Buffer.from('x')
    for (let i = 0; i < 30_000; i++) for (const kept of all) kept.add('stdout', byte)
    assert.ok(memory.heldBytes < 20 * 65_536)
    assert.ok(process.memoryUsage().arrayBuffers - before < 20 * 200_000)
    const { head, tail } = await (all[0] as KeptOutput).read()
    assert.equal(head.length + tail.length < 30, true)
    for (const kept of all) await kept.close()
    assert.equal(memory.heldBytes, 0)
  })

  it('keeps order where two streams take turns byte by byte', async (t) => {
    const { kept } = await setUp(t)
    for (let i = 0; i < 2_000; i++) kept.add(i % 2 === 0 ? 'stdout' : 'stderr', Buffer.from(`${i % 10}`))
    const { head, tail, lostBytes } = await kept.read()
    const all = [...head, ...tail]
    assert.equal(lostBytes, 0)
    assert.deepEqual(
      all.map(({ stream, bytes }) => `${stream}${bytes}`),
      Array.from({ length: 2_000 }, (_, i) => `${i % 2 === 0 ? 'stdout' : 'stderr'}${i % 10}`),
    )
  })

  it('is little in memory where there are many, and still all of it', async (t) => {
    const { memory, folder } = await setUp(t)
    const all = Array.from({ length: 600 }, (_, i) => new KeptOutput(join(folder, `${i}`), memory))
    for (const [i, kept] of all.entries()) kept.add('stdout', Buffer.alloc(60_000, i % 256))
    assert.ok(memory.heldBytes <= 16_777_216)
    for (const [i, kept] of all.entries()) {
      const { head, tail, lostBytes } = await kept.read()
      assert.equal(lostBytes, 0)
      assert.ok(Buffer.concat([...head, ...tail].map(({ bytes }) => bytes)).equals(Buffer.alloc(60_000, i % 256)))
    }
    for (const kept of all) await kept.close()
  })

  it('goes with its file', async (t) => {
    const { kept, file } = await setUp(t)
    for (let i = 0; i < 10; i++) kept.add('stdout', Buffer.alloc(30_000))
    await kept.close()
    assert.equal(existsSync(file), false)
  })
})
