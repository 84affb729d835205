/** BuildKit's progress as the engine sends it: protobuf, of which this reads what it needs. Field numbers are those of moby/buildkit's control.proto. */
import { type Dockerfile, type Instruction, type Stage, stagesOf } from './dockerfile.ts'
import type { BuildLog } from './progress.ts'

/** One thing that BuildKit does. */
export interface Vertex {
  readonly digest: string
  /** `[2/3] RUN npm ci`, `[build 2/5] COPY . .`, `[internal] load metadata for docker.io/library/node:22`. */
  readonly name: string
  readonly started: boolean
  readonly error: string
}

/** What a status carries. */
export interface Trace {
  readonly vertices: readonly Vertex[]
  readonly output: readonly { readonly vertex: string; readonly text: string }[]
}

/** Reads one status. Throws a RangeError where the bytes are none. */
export function readTrace(bytes: Buffer): Trace {
  const vertices: Vertex[] = []
  const output: { vertex: string; text: string }[] = []
  for (const [field, value] of fields(bytes)) {
    if (field === 1) {
      const parts = new Map(fields(value))
      vertices.push({
        digest: parts.get(1)?.toString() ?? '',
        name: parts.get(3)?.toString() ?? '',
        started: parts.has(5),
        error: parts.get(7)?.toString() ?? '',
      })
    } else if (field === 3) {
      const parts = new Map(fields(value))
      output.push({ vertex: parts.get(1)?.toString() ?? '', text: parts.get(4)?.toString() ?? '' })
    }
  }
  return { vertices, output }
}

/** The fields of a message that have bytes; numbers are passed over. */
function* fields(bytes: Buffer): Generator<[field: number, value: Buffer]> {
  let at = 0
  const varint = () => {
    let value = 0
    for (let shift = 1; ; shift *= 128) {
      const byte = bytes.readUInt8(at++)
      value += (byte & 127) * shift
      if (byte < 128) return value
    }
  }
  while (at < bytes.length) {
    const tag = varint()
    const kind = tag % 8
    if (kind === 0) varint()
    else if (kind === 1) at += 8
    else if (kind === 5) at += 4
    else {
      const length = varint()
      if (kind !== 2 || at + length > bytes.length) throw new RangeError('This is no status of BuildKit.')
      yield [(tag - kind) / 8, bytes.subarray(at, at + length)]
      at += length
    }
  }
}

/** Follows a BuildKit build into a BuildLog. */
export class TraceReader {
  private readonly log: BuildLog
  private readonly stages: readonly Stage[]
  private readonly begun = new Set<string>()
  private readonly names = new Map<string, string>()
  private readonly partial = new Map<string, string>()
  /** The instruction that failed, where BuildKit told of one. */
  failed: Instruction | undefined

  constructor(log: BuildLog, file: Dockerfile, args: Readonly<Record<string, string>>) {
    this.log = log
    this.stages = stagesOf(file, args)
  }

  push(trace: Trace): void {
    for (const vertex of trace.vertices) {
      this.names.set(vertex.digest, vertex.name)
      const instruction = instructionOf(vertex.name, this.stages)
      if (!instruction) continue
      if (vertex.started && !this.begun.has(vertex.digest)) {
        this.begun.add(vertex.digest)
        if (!vertex.name.startsWith('[internal]')) this.log.begin(instruction)
      }
      if (vertex.error && !/context canceled/.test(vertex.error)) this.failed ??= instruction
    }
    for (const { vertex, text } of trace.output) {
      const lines = ((this.partial.get(vertex) ?? '') + text).split(/\r?\n/)
      this.partial.set(vertex, lines.pop() ?? '')
      for (const line of lines) this.log.output(line)
    }
  }

  end(): void {
    for (const line of this.partial.values()) this.log.output(line)
    this.partial.clear()
  }
}

/** BuildKit counts, in each stage, only what makes a layer; a FROM only where it stands on an image. */
const COUNTED = /^(RUN|COPY|ADD|WORKDIR)$/

/** Which instruction a vertex is of; undefined where it is BuildKit's own business. */
export function instructionOf(name: string, stages: readonly Stage[]): Instruction | undefined {
  const metadata = /^\[internal\] load metadata for (\S+)/.exec(name)?.[1]
  if (metadata) return stages.find(({ from }) => metadata === from || metadata === fullReference(from))?.instructions[0]
  const place = /^\[(?:(?:linux|windows|darwin)\/\S+ )?(?:(\S+) )?(\d+)\/\d+\] /.exec(name)
  if (!place) return undefined
  const stage =
    place[1] === undefined
      ? stages.at(-1)
      : stages.find((one, index) => one.name === place[1] || (one.name === undefined && `stage-${index}` === place[1]))
  if (!stage) return undefined
  const onImage =
    stage.from !== 'scratch' &&
    !stages.slice(0, stages.indexOf(stage)).some((one) => one.name === stage.from.toLowerCase())
  return stage.instructions.filter((one) => (one.name === 'FROM' ? onImage : COUNTED.test(one.name)))[
    Number(place[2]) - 1
  ]
}

/** As BuildKit writes an image: with its registry and tag. */
function fullReference(reference: string): string {
  const [first = '', ...rest] = reference.split('/')
  const hasRegistry = rest.length > 0 && (/[.:]/.test(first) || first === 'localhost')
  const full = hasRegistry ? reference : `docker.io/${rest.length > 0 ? '' : 'library/'}${reference}`
  return full.includes('@') || /:[^/]*$/.test(full) ? full : `${full}:latest`
}
