import { appendFile, mkdir, readFile, rm } from 'node:fs/promises'
import { dirname } from 'node:path'

/** A piece of what a process wrote. */
export interface OutputPiece {
  readonly stream: 'stdout' | 'stderr'
  readonly bytes: Buffer
}

/** Kept in memory, the newest part. */
const MEMORY_BYTES = 65_536
/** Kept on disk, the oldest part. What lies between is counted, and gone. */
const DISK_BYTES = 8_388_608
const SMALL_BYTES = 16_384

/** What a process wrote, bounded: its beginning on disk, its end in memory. */
export class KeptOutput {
  readonly #file: string
  #pieces: OutputPiece[] = []
  #memoryBytes = 0
  #diskBytes = 0
  #lostBytes = 0
  #writing: Promise<void> = Promise.resolve()
  #closed = false

  /** @param file where the older part goes; made when first needed, owned by this. */
  constructor(file: string) {
    this.#file = file
  }

  /** Keeps a piece. A small one is copied, as it would hold on to all of the chunk that it came in. */
  add(stream: OutputPiece['stream'], bytes: Buffer): void {
    if (this.#closed) return
    this.#pieces.push({ stream, bytes: bytes.length < SMALL_BYTES ? Buffer.from(bytes) : bytes })
    this.#memoryBytes += bytes.length
    if (this.#memoryBytes > MEMORY_BYTES) this.#spill()
  }

  /** All that is kept, in order, and how many bytes are missing between its two parts. */
  async read(): Promise<{ readonly head: OutputPiece[]; readonly lostBytes: number; readonly tail: OutputPiece[] }> {
    // As it is now, although reading takes a while: what is added meanwhile belongs to whoever follows.
    const [tail, diskBytes, lostBytes] = [[...this.#pieces], this.#diskBytes, this.#lostBytes]
    await this.#writing
    const stored = diskBytes === 0 ? Buffer.alloc(0) : await readFile(this.#file).catch(() => Buffer.alloc(0))
    return { head: decode(stored.subarray(0, diskBytes)), lostBytes, tail }
  }

  /** Removes the file; what comes later is not kept. */
  async close(): Promise<void> {
    this.#closed = true
    this.#pieces = []
    await this.#writing
    await rm(this.#file, { force: true })
  }

  #spill(): void {
    const keep = MEMORY_BYTES / 2
    const old: OutputPiece[] = []
    while (this.#memoryBytes > keep && this.#pieces.length > 1) {
      const piece = this.#pieces.shift() as OutputPiece
      this.#memoryBytes -= piece.bytes.length
      old.push(piece)
    }
    const size = old.reduce((sum, piece) => sum + piece.bytes.length, 0)
    if (this.#diskBytes + size > DISK_BYTES) {
      this.#lostBytes += size
      return
    }
    const bytes = encode(old)
    this.#diskBytes += bytes.length
    this.#writing = this.#writing
      .then(async () => {
        await mkdir(dirname(this.#file), { recursive: true })
        await appendFile(this.#file, bytes, { mode: 0o600 })
      })
      // A disk that takes no more costs old output, not the process.
      .catch(() => undefined)
  }
}

/** u8 stream, u32 length, bytes. */
function encode(pieces: readonly OutputPiece[]): Buffer {
  return Buffer.concat(
    pieces.flatMap(({ stream, bytes }) => {
      const head = Buffer.alloc(5)
      head.writeUInt8(stream === 'stdout' ? 1 : 2, 0)
      head.writeUInt32LE(bytes.length, 1)
      return [head, bytes]
    }),
  )
}

function decode(stored: Buffer): OutputPiece[] {
  const pieces: OutputPiece[] = []
  for (let at = 0; at + 5 <= stored.length; ) {
    const end = at + 5 + stored.readUInt32LE(at + 1)
    pieces.push({ stream: stored[at] === 1 ? 'stdout' : 'stderr', bytes: stored.subarray(at + 5, end) })
    at = end
  }
  return pieces
}
