import { appendFile, mkdir, readFile, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { OutputMemory } from './output-memory.ts'

/** A piece of what a process wrote. */
export interface OutputPiece {
  readonly stream: 'stdout' | 'stderr'
  readonly bytes: Buffer
}

/** Of one process. */
const FILE_BYTES = 8_388_608
const HEADER_BYTES = 5

/** The beginning of what a process wrote, on disk, without a gap: after the first piece that it does not take, it takes none. */
export class OutputFile {
  readonly #file: string
  readonly #memory: OutputMemory
  #bytes = 0
  #storedBytes = 0
  #full = false
  #failed = false
  #writing: Promise<void> = Promise.resolve()

  /** @param file made when first needed, owned by this. */
  constructor(file: string, memory: OutputMemory) {
    this.#file = file
    this.#memory = memory
  }

  /** Whether it takes no more. */
  get full(): boolean {
    return this.#full
  }

  /** Takes pieces in order, as long as they fit, and says how many. The bytes are copied. */
  add(pieces: readonly OutputPiece[]): number {
    const taken: OutputPiece[] = []
    let size = 0
    for (const piece of pieces) {
      const more = HEADER_BYTES + piece.bytes.length
      this.#full ||= this.#bytes + size + more > FILE_BYTES || !this.#memory.mayWrite(size + more)
      if (this.#full) break
      taken.push(piece)
      size += more
    }
    if (taken.length === 0) return 0
    this.#bytes += size
    this.#memory.writing(size)
    this.#writing = this.#write(this.#writing, encode(taken))
    return taken.length
  }

  /** What it has taken so far, although reading takes a while; less where the disk did not take it. */
  async read(): Promise<OutputPiece[]> {
    const bytes = this.#bytes
    await this.#writing
    if (bytes === 0) return []
    const stored = await readFile(this.#file).catch(() => Buffer.alloc(0))
    return decode(stored.subarray(0, Math.min(bytes, this.#storedBytes)))
  }

  /** Removes the file. */
  async close(): Promise<void> {
    this.#full = true
    await this.#writing
    await rm(this.#file, { force: true })
  }

  async #write(before: Promise<void>, bytes: Buffer): Promise<void> {
    try {
      await before
      // Behind one that failed it would leave a gap.
      if (this.#failed) return
      await mkdir(dirname(this.#file), { recursive: true })
      await appendFile(this.#file, bytes, { mode: 0o600 })
      this.#storedBytes += bytes.length
    } catch {
      // A disk that takes no more costs old output, not the process.
      this.#full = true
      this.#failed = true
    } finally {
      this.#memory.writing(-bytes.length)
    }
  }
}

/** u8 stream, u32 length, bytes. */
function encode(pieces: readonly OutputPiece[]): Buffer {
  return Buffer.concat(
    pieces.flatMap(({ stream, bytes }) => {
      const head = Buffer.alloc(HEADER_BYTES)
      head.writeUInt8(stream === 'stdout' ? 1 : 2, 0)
      head.writeUInt32LE(bytes.length, 1)
      return [head, bytes]
    }),
  )
}

function decode(stored: Buffer): OutputPiece[] {
  const pieces: OutputPiece[] = []
  for (let at = 0; at + HEADER_BYTES <= stored.length; ) {
    const end = at + HEADER_BYTES + stored.readUInt32LE(at + 1)
    pieces.push({ stream: stored[at] === 1 ? 'stdout' : 'stderr', bytes: stored.subarray(at + HEADER_BYTES, end) })
    at = end
  }
  return pieces
}
