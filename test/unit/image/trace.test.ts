import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseDockerfile, stagesOf } from '../../../runtime/image/dockerfile.ts'
import { BuildLog } from '../../../runtime/image/progress.ts'
import { instructionOf, readTrace, TraceReader } from '../../../runtime/image/trace.ts'

const TEXT = `ARG BASE=alpine
FROM $BASE AS one
WORKDIR /w
ENV A=1
RUN echo hi
FROM one
COPY a.txt /a
RUN echo two
FROM scratch AS last
COPY --from=1 /a /a
`
const FILE = parseDockerfile(TEXT)

describe('instructionOf', () => {
  const places: [vertex: string, line: number | undefined][] = [
    ['[internal] load metadata for docker.io/library/alpine:latest', 2],
    ['[internal] load build context', undefined],
    ['[one 1/3] FROM docker.io/library/alpine', 2],
    ['[one 2/3] WORKDIR /w', 3],
    ['[one 3/3] RUN echo hi', 5],
    // Stages without a name are counted from 0; one that stands on another stage begins with its first layer.
    ['[stage-1 1/2] COPY a.txt /a', 7],
    ['[stage-1 2/2] RUN echo two', 8],
    ['[last 1/1] COPY --from=1 /a /a', 10],
    ['[linux/arm64 one 3/3] RUN echo hi', 5],
    ['[1/1] COPY --from=1 /a /a', 10],
    ['exporting to image', undefined],
    ['[other 1/1] RUN x', undefined],
  ]
  for (const [vertex, line] of places) {
    it(`finds ${vertex}`, () => assert.equal(instructionOf(vertex, stagesOf(FILE, {}))?.line, line))
  }

  it('finds a base by the name that BuildKit gives it', () => {
    const from = (base: string, full: string) =>
      instructionOf(`[internal] load metadata for ${full}`, stagesOf(parseDockerfile(`FROM ${base}`), {}))?.line
    assert.equal(from('node:22', 'docker.io/library/node:22'), 1)
    assert.equal(from('me/app', 'docker.io/me/app:latest'), 1)
    assert.equal(from('localhost:5000/app', 'localhost:5000/app:latest'), 1)
    assert.equal(from('ghcr.io/me/app@sha256:1', 'ghcr.io/me/app@sha256:1'), 1)
  })
})

/** A field with bytes, as protobuf writes it. */
const field = (number: number, value: string | Buffer) => {
  const bytes = Buffer.from(value as string)
  const length: number[] = []
  for (let left = bytes.length; ; left >>= 7) {
    length.push((left & 127) | (left > 127 ? 128 : 0))
    if (left <= 127) break
  }
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...length]), bytes])
}
const vertex = (digest: string, name: string, more: Buffer[] = []) =>
  field(1, Buffer.concat([field(1, digest), field(2, 'input'), field(3, name), Buffer.from([4 << 3, 1]), ...more]))
const started = field(5, Buffer.from([8, 1]))
const output = (digest: string, text: string) =>
  field(3, Buffer.concat([field(1, digest), Buffer.from([3 << 3, 2]), field(4, text)]))

describe('readTrace', () => {
  it('reads what BuildKit does and writes', () => {
    const long = 'x'.repeat(300)
    const bytes = Buffer.concat([
      vertex('d1', long, [started]),
      vertex('d2', '[1/2] RUN a', [field(7, 'it broke')]),
      output('d1', 'words\n'),
    ])
    assert.deepEqual(readTrace(bytes), {
      vertices: [
        { digest: 'd1', name: long, started: true, error: '' },
        { digest: 'd2', name: '[1/2] RUN a', started: false, error: 'it broke' },
      ],
      output: [{ vertex: 'd1', text: 'words\n' }],
    })
  })

  it('reads what Docker 20.10 sent', () => {
    const sent =
      'Cm8KR3NoYTI1Njo3MTdmZGFiMjFiZGI4NDNmMzkyZTFhYThhODdkNDYwMDFiYzkzZjk3Y2MwMzRlOWQwZDJmOWJjYzkyMzY4NTE1GiRbaW50ZXJuYWxdIGxvYWQgcmVtb3RlIGJ1aWxkIGNvbnRleHQ='
    assert.deepEqual(
      readTrace(Buffer.from(sent, 'base64')).vertices.map((one) => one.name),
      ['[internal] load remote build context'],
    )
  })

  it('refuses what is none', () => {
    assert.throws(() => readTrace(Buffer.from([10, 200])), RangeError)
    assert.throws(() => readTrace(Buffer.from([10, 9, 1])), RangeError)
  })
})

describe('TraceReader', () => {
  it('follows steps and output, and knows which instruction failed', () => {
    const said: string[] = []
    const log = new BuildLog(FILE, {
      onProgress: ({ step, text }) => said.push(`${step} ${text}`),
      onOutput: (line) => said.push(line),
    })
    const reader = new TraceReader(log, FILE, {})
    const push = (...parts: Buffer[]) => reader.push(readTrace(Buffer.concat(parts)))
    push(vertex('a', '[one 3/3] RUN echo hi'))
    push(vertex('a', '[one 3/3] RUN echo hi', [started]), output('a', 'h'))
    push(vertex('a', '[one 3/3] RUN echo hi', [started]), output('a', 'i\nmore'))
    push(vertex('b', '[last 1/1] COPY --from=1 /a /a', [started]))
    push(vertex('a', '[one 3/3] RUN echo hi', [started, field(7, 'exit code: 3')]))
    push(vertex('b', '[last 1/1] COPY --from=1 /a /a', [started, field(7, 'context canceled')]))
    reader.end()
    const told = said.filter((line) => !line.startsWith('Step'))
    assert.deepEqual(told, ['5 RUN echo hi', 'hi', '10 COPY --from=1 /a /a', 'more'])
    assert.equal(reader.failed?.line, 5)
  })
})
