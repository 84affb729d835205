import { appendFile, mkdir, readFile, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Kept in memory, in characters; what is older goes to disk. */
const MEMORY_CHARS = 262_144
/** A file of this size is put aside; the one before it is dropped. */
const FILE_CHARS = 8_388_608

/** A line that an object's container wrote. */
export interface LogLine {
  readonly at: number
  readonly life: number
  readonly stream: 'stdout' | 'stderr'
  readonly text: string
}

/** An object's log over all its lives: the newest part in memory, the rest on disk, bounded in both. */
export class ObjectLog {
  readonly #file: string
  #lines: LogLine[] = []
  #chars = 0
  #fileChars = 0
  #writing: Promise<void> = Promise.resolve()

  /** @param file where older lines go; made when first needed, owned by this log. */
  constructor(file: string) {
    this.#file = file
  }

  add(line: LogLine): void {
    this.#lines.push(line)
    this.#chars += line.text.length
    if (this.#chars > MEMORY_CHARS) this.#spill()
  }

  /** The last `count` lines of a life, or of all. */
  last(count: number, life?: number): string[] {
    const lines = life === undefined ? this.#lines : this.#lines.filter((line) => line.life === life)
    return lines.slice(-count).map((line) => line.text)
  }

  /** All that is kept, oldest first. */
  async read(): Promise<LogLine[]> {
    const memory = [...this.#lines]
    // In turn with the writing: what leaves memory from now on goes to disk after it was read.
    const reading = this.#writing.then(() =>
      Promise.all([`${this.#file}.1`, this.#file].map((file) => readFile(file, 'utf8').catch(() => ''))),
    )
    this.#writing = reading.then(() => undefined)
    return [...(await reading).join('').split('\n').flatMap(lineOf), ...memory]
  }

  /** Removes the files. */
  async close(): Promise<void> {
    await this.#writing
    await Promise.all([rm(this.#file, { force: true }), rm(`${this.#file}.1`, { force: true })])
  }

  #spill(): void {
    const half = Math.ceil(this.#lines.length / 2)
    const old = this.#lines.slice(0, half)
    this.#lines = this.#lines.slice(half)
    this.#chars = this.#lines.reduce((sum, line) => sum + line.text.length, 0)
    const text = old.map((line) => `${JSON.stringify(line)}\n`).join('')
    this.#writing = this.#writing.then(async () => {
      await mkdir(dirname(this.#file), { recursive: true })
      if (this.#fileChars > FILE_CHARS) {
        await rename(this.#file, `${this.#file}.1`)
        this.#fileChars = 0
      }
      await appendFile(this.#file, text, { mode: 0o600 })
      this.#fileChars += text.length
    })
    // A disk that takes no more costs old lines, not the session.
    this.#writing = this.#writing.catch(() => undefined)
  }
}

/** A line of the file, or none where a full disk has cut it. */
function lineOf(text: string): LogLine[] {
  try {
    return [JSON.parse(text) as LogLine]
  } catch {
    return []
  }
}
