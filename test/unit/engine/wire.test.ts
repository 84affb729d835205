import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Demultiplexer } from '../../../runtime/engine/demultiplex.ts'
import { splitReference } from '../../../runtime/engine/images.ts'
import { jsonLines } from '../../../runtime/engine/json-lines.ts'
import { speakVersion } from '../../../runtime/engine/speak.ts'
import { queryString } from '../../../runtime/engine/transport.ts'

function frame(stream: number, text: string): Buffer {
  const header = Buffer.alloc(8)
  header[0] = stream
  header.writeUInt32BE(Buffer.byteLength(text), 4)
  return Buffer.concat([header, Buffer.from(text)])
}

describe('Demultiplexer', () => {
  const bytes = Buffer.concat([frame(1, 'out'), frame(2, 'err'), frame(1, ''), frame(1, 'more')])

  it('takes the streams apart, wherever the bytes are cut', () => {
    for (let size = 1; size <= bytes.length; size++) {
      const got = { stdout: '', stderr: '' }
      const frames = new Demultiplexer((stream, part) => {
        got[stream] += part.toString()
      })
      for (let at = 0; at < bytes.length; at += size) frames.push(bytes.subarray(at, at + size))
      assert.deepEqual(got, { stdout: 'outmore', stderr: 'err' })
    }
  })

  it('hands on a payload before its frame is complete', () => {
    const got: string[] = []
    new Demultiplexer((_, part) => got.push(part.toString())).push(frame(1, 'halfway').subarray(0, 12))
    assert.deepEqual(got, ['half'])
  })

  it('refuses what is no frame', () => {
    assert.throws(() => new Demultiplexer(() => {}).push(Buffer.from('plain text')), /unknown stream \(112\)/)
  })
})

describe('jsonLines', () => {
  async function values(...chunks: string[]): Promise<unknown[]> {
    const source = (async function* () {
      for (const chunk of chunks) yield Buffer.from(chunk, 'latin1')
    })()
    return Array.fromAsync(jsonLines(source))
  }

  it('gives the values, wherever the lines are cut', async () => {
    assert.deepEqual(await values('{"a":1}\r\n{"b"', ':2}\n\n[3', ']'), [{ a: 1 }, { b: 2 }, [3]])
  })

  it('puts together a character that was cut', async () => {
    assert.deepEqual(await values('"\xc3', '\xa4"\n'), ['ä'])
  })

  it('rejects at a line that is no JSON', async () => {
    await assert.rejects(values('{"a":1}\nnonsense\n'), SyntaxError)
  })
})

describe('speakVersion', () => {
  it('is ours where the engine speaks it', () => assert.equal(speakVersion('1.52', '1.24', '1.41'), '1.41'))
  it("is the engine's where that is older", () => assert.equal(speakVersion('1.40', '1.12', '1.41'), '1.40'))
  it('is the oldest that a newer engine still takes', () => assert.equal(speakVersion('1.52', '1.44', '1.41'), '1.44'))
  it('counts 1.9 before 1.41', () => assert.equal(speakVersion('1.9', '1.9', '1.41'), '1.9'))
})

describe('queryString', () => {
  it('writes lists, objects and booleans as the engine reads them', () => {
    assert.equal(
      queryString({ a: 'x y', b: ['1', '2'], c: { label: ['l=1'] }, d: true, e: false, f: undefined, g: 0 }),
      '?a=x%20y&b=1&b=2&c=%7B%22label%22%3A%5B%22l%3D1%22%5D%7D&d=1&e=0&g=0',
    )
    assert.equal(queryString({}), '')
    assert.equal(queryString(undefined), '')
  })
})

describe('splitReference', () => {
  const forms: [string, string, string][] = [
    ['busybox', 'busybox', ''],
    ['busybox:1', 'busybox', '1'],
    ['localhost:5000/a/b', 'localhost:5000/a/b', ''],
    ['localhost:5000/a/b:c', 'localhost:5000/a/b', 'c'],
    ['a/b@sha256:00', 'a/b', 'sha256:00'],
    ['a/b:c@sha256:00', 'a/b', 'sha256:00'],
  ]
  for (const [reference, repository, tag] of forms) {
    it(`takes ${reference} apart`, () => assert.deepEqual(splitReference(reference), { repository, tag }))
  }
})
