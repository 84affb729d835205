import { OutputFile, type OutputPiece } from './output-file.ts'
import type { Holder, OutputMemory } from './output-memory.ts'

/** Kept in memory of one process, the newest part. The oldest part is on disk; what lies between is counted, and gone. */
const MEMORY_BYTES = 65_536
/** Kept in memory of one that is told to shrink, and whose beginning is complete. */
const LITTLE_BYTES = 4_096
/** Smaller pieces are copied together: one would hold on to all of the chunk that it came in. */
const SMALL_BYTES = 16_384
const FIRST_BLOCK_BYTES = 256
/** What a piece costs besides its bytes. */
const PIECE_BYTES = 128

/** A part of a block that is filled from its front, or a chunk as it came. */
interface Held {
  readonly stream: OutputPiece['stream']
  readonly block: Buffer
  readonly start: number
  end: number
}

/** What a process wrote, bounded: its beginning on disk, its end in memory. */
export class KeptOutput implements Holder {
  readonly #file: OutputFile
  readonly #memory: OutputMemory
  #held: Held[] = []
  #bytes = 0
  #heldBytes = 0
  #block = Buffer.alloc(0)
  #blockUsed = 0
  #closed = false

  /** @param file where the older part goes; made when first needed, owned by this. */
  constructor(file: string, memory: OutputMemory) {
    this.#file = new OutputFile(file, memory)
    this.#memory = memory
  }

  /** Keeps a piece. A large one is not copied, and must not be written over. */
  add(stream: OutputPiece['stream'], bytes: Buffer): void {
    if (this.#closed || bytes.length === 0) return
    this.#bytes += bytes.length
    if (bytes.length < SMALL_BYTES || bytes.length * 2 < bytes.buffer.byteLength) this.#copy(stream, bytes)
    else this.#hold({ stream, block: bytes, start: 0, end: bytes.length })
    if (this.#heldBytes > MEMORY_BYTES) this.#spill(MEMORY_BYTES / 2)
  }

  /** All that is kept, in order, and how many bytes are missing between its two parts. */
  async read(): Promise<{ readonly head: OutputPiece[]; readonly lostBytes: number; readonly tail: OutputPiece[] }> {
    // As it is now, although reading takes a while: what is added meanwhile belongs to whoever follows.
    const [tail, bytes] = [this.#held.map(pieceOf), this.#bytes]
    const head = await this.#file.read()
    return { head, lostBytes: bytes - sizeOf(head) - sizeOf(tail), tail }
  }

  /** Holds little, or nothing where the disk takes it. */
  shrink(): void {
    this.#drop(this.#file.add(this.#held.map(pieceOf)))
    if (!this.#file.full) return
    this.#spill(LITTLE_BYTES)
    const [last] = this.#held
    if (last === undefined || this.#held.length > 1 || costOf(last) <= LITTLE_BYTES) return
    const end = Buffer.from(last.block.subarray(last.end - LITTLE_BYTES / 2, last.end))
    this.#drop(1)
    this.#hold({ stream: last.stream, block: end, start: 0, end: end.length })
  }

  /** Forgets it and removes the file. */
  async close(): Promise<void> {
    this.#closed = true
    this.#held = []
    this.#account(-this.#heldBytes)
    this.#memory.forget(this)
    await this.#file.close()
  }

  #copy(stream: OutputPiece['stream'], bytes: Buffer): void {
    let last = this.#held.at(-1)
    for (let at = 0; at < bytes.length; ) {
      if (this.#blockUsed === this.#block.length) this.#newBlock()
      const start = this.#blockUsed
      const length = bytes.copy(this.#block, start, at)
      at += length
      this.#blockUsed += length
      if (last?.stream === stream && last.block === this.#block && last.end === start) {
        last.end += length
        this.#account(length)
      } else {
        last = { stream, block: this.#block, start, end: start + length }
        this.#hold(last)
      }
    }
  }

  /** Small at first: most processes write little. */
  #newBlock(): void {
    this.#block = Buffer.allocUnsafeSlow(Math.min(SMALL_BYTES, this.#block.length * 2 || FIRST_BLOCK_BYTES))
    this.#blockUsed = 0
  }

  #hold(piece: Held): void {
    this.#held.push(piece)
    this.#account(costOf(piece))
  }

  #account(bytes: number): void {
    this.#heldBytes += bytes
    this.#memory.changed(this, bytes)
  }

  /** Gives the oldest to the disk until only `keep` bytes are held, or the last piece. */
  #spill(keep: number): void {
    let count = 0
    for (let left = this.#heldBytes; left > keep && count < this.#held.length - 1; count++)
      left -= costOf(this.#held[count] as Held)
    this.#file.add(this.#held.slice(0, count).map(pieceOf))
    this.#drop(count)
  }

  /** Holds the oldest no more. */
  #drop(count: number): void {
    const dropped = this.#held.splice(0, count)
    this.#account(-dropped.reduce((sum, piece) => sum + costOf(piece), 0))
    if (this.#held.length > 0) return
    this.#block = Buffer.alloc(0)
    this.#blockUsed = 0
  }
}

function pieceOf({ stream, block, start, end }: Held): OutputPiece {
  return { stream, bytes: block.subarray(start, end) }
}

function costOf({ start, end }: Held): number {
  return end - start + PIECE_BYTES
}

function sizeOf(pieces: readonly OutputPiece[]): number {
  return pieces.reduce((sum, { bytes }) => sum + bytes.length, 0)
}
