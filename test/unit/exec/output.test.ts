import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { KeptOutput, type OutputPiece } from '../../../runtime/exec/output.ts'

async function setUp(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'moorage-output-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const file = join(folder, 'deep', 'output')
  return { file, kept: new KeptOutput(file) }
}

function text(pieces: readonly OutputPiece[]): string {
  return pieces.map(({ stream, bytes }) => `${stream}:${bytes}`).join(' ')
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

  it('goes with its file', async (t) => {
    const { kept, file } = await setUp(t)
    for (let i = 0; i < 10; i++) kept.add('stdout', Buffer.alloc(30_000))
    await kept.close()
    assert.equal(existsSync(file), false)
  })
})
