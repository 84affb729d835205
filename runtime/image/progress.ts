/** What a builder says, line by line, turned into steps, output and at the end the place of a failure. Pure. */
import type { Dockerfile, Instruction } from './dockerfile.ts'

/** Lines of output kept for a failure. */
export const LAST_LINES = 20

/** How far a build or a pull is. */
export interface ImageProgress {
  readonly how: 'build' | 'pull'
  /** From 1; undefined before the first step and in a pull. */
  readonly step?: number
  readonly steps?: number
  /** The instruction that runs, or what is pulled and how far. */
  readonly text: string
}

/** `Step 5/7 : RUN npm ci` (Docker), `STEP 5/7: RUN npm ci` (Podman). */
const STEP = /^step (\d+)\/(\d+) ?: (.*)$/i

/** The builder's own remarks, which are neither a step nor output. */
const REMARK =
  /^( ---> |Removing intermediate container |Successfully (built|tagged) |\[Warning\] One or more build-args|--> |COMMIT )/

/** The classic builder paints stderr red. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: the colours are control characters
const STDERR_COLOUR = /\x1b\[(91|0)m/g

/** Follows one build: where it is, and what it wrote. */
export class BuildLog {
  private readonly instructions: readonly Instruction[]
  private readonly onProgress: (progress: ImageProgress) => void
  private readonly onOutput: (line: string) => void
  private readonly last: string[] = []
  private current: Instruction | undefined
  private rest = ''

  constructor(file: Dockerfile, on: { onProgress(progress: ImageProgress): void; onOutput(line: string): void }) {
    this.instructions = file.instructions
    this.onProgress = on.onProgress
    this.onOutput = on.onOutput
  }

  /** The last lines of output, the latest at the end. */
  get lastOutput(): readonly string[] {
    return this.last
  }

  /** The instruction that began last; undefined before the first. */
  get instruction(): Instruction | undefined {
    return this.current
  }

  /** An instruction begins; `text` is how the builder writes it. */
  begin(instruction: Instruction, text = `${instruction.name} ${instruction.args}`): void {
    this.current = instruction
    const step = this.instructions.indexOf(instruction) + 1
    this.onProgress({ how: 'build', step, steps: this.instructions.length, text })
    this.onOutput(`Step ${step}/${this.instructions.length} : ${text}`)
  }

  /** Takes the classic builder's text as it comes, lines broken anywhere. */
  push(text: string): void {
    // The builder's own words come in messages of their own, also behind output without an end of line.
    if (STEP.test(text.trimEnd()) || REMARK.test(text)) this.end()
    this.rest += text
    for (let end = this.rest.indexOf('\n'); end >= 0; end = this.rest.indexOf('\n')) {
      this.line(this.rest.slice(0, end))
      this.rest = this.rest.slice(end + 1)
    }
  }

  /** What remains without an end of line. */
  end(): void {
    if (this.rest) this.line(this.rest)
    this.rest = ''
  }

  private line(raw: string): void {
    // A program that draws its progress overwrites its line; what it drew last counts.
    const line = (raw.replace(/\r$/, '').split('\r').at(-1) ?? '').replace(STDERR_COLOUR, '')
    const step = STEP.exec(line)
    if (step) {
      // Our own label is a step more at the end, which is none of the Dockerfile's.
      const instruction = this.instructions[Number(step[1]) - 1]
      if (instruction) this.begin(instruction, step[3])
    } else if (!REMARK.test(line)) this.output(line)
  }

  /** A line that the build wrote. */
  output(line: string): void {
    if (line.trim() === '') return
    this.onOutput(line)
    this.last.push(line)
    if (this.last.length > LAST_LINES) this.last.shift()
  }
}

/** A pull's layers, told as one line. */
export class PullLog {
  private readonly reference: string
  private readonly onProgress: (progress: ImageProgress) => void
  private readonly layers = new Map<string, { current: number; total: number; done: boolean }>()

  constructor(reference: string, onProgress: (progress: ImageProgress) => void) {
    this.reference = reference
    this.onProgress = onProgress
  }

  push(line: {
    readonly status?: string | undefined
    readonly id?: string | undefined
    readonly progressDetail?:
      | { readonly current?: number | undefined; readonly total?: number | undefined }
      | null
      | undefined
  }): void {
    const { id, status = '' } = line
    if (!id || /^(Pulling from|Digest|Status)/.test(status)) return
    const layer = this.layers.get(id) ?? { current: 0, total: 0, done: false }
    this.layers.set(id, layer)
    if (status === 'Downloading') {
      layer.current = line.progressDetail?.current ?? layer.current
      layer.total = line.progressDetail?.total ?? layer.total
    }
    if (status === 'Download complete') layer.current = layer.total
    if (status === 'Pull complete' || status === 'Already exists') layer.done = true
    let current = 0
    let total = 0
    let done = 0
    for (const one of this.layers.values()) {
      current += one.current
      total += one.total
      if (one.done) done++
    }
    const bytes = total > 0 ? `, ${megabytes(current)} of ${megabytes(total)} MB` : ''
    this.onProgress({ how: 'pull', text: `Pulling ${this.reference}: ${done} of ${this.layers.size} layers${bytes}` })
  }
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1)
}
