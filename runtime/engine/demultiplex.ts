/** The engine's stream of attach and logs: frames of 8 bytes header (stream, 0, 0, 0, u32 length) and payload. */

export type OutputStream = 'stdout' | 'stderr'

const HEADER_BYTES = 8

/** Takes the frames apart. A payload is handed on as its bytes come, not copied and not collected. */
export class Demultiplexer {
  private readonly output: (stream: OutputStream, bytes: Buffer) => void
  private readonly header = Buffer.alloc(HEADER_BYTES)
  private headerBytes = 0
  private left = 0
  private stream: OutputStream = 'stdout'

  /** `output` owns the bytes that it gets. */
  constructor(output: (stream: OutputStream, bytes: Buffer) => void) {
    this.output = output
  }

  /** Takes the next bytes. Throws where they are no frame: a container with a TTY, which Moorage never makes. */
  push(chunk: Buffer): void {
    let at = 0
    while (at < chunk.length) {
      if (this.left > 0) {
        const bytes = chunk.subarray(at, at + this.left)
        at += bytes.length
        this.left -= bytes.length
        this.output(this.stream, bytes)
        continue
      }
      const copied = chunk.copy(this.header, this.headerBytes, at, at + HEADER_BYTES - this.headerBytes)
      at += copied
      this.headerBytes += copied
      if (this.headerBytes < HEADER_BYTES) return
      this.headerBytes = 0
      const kind = this.header[0]
      if (kind !== 0 && kind !== 1 && kind !== 2)
        throw new Error(`The engine sent a frame of an unknown stream (${kind}).`)
      this.stream = kind === 2 ? 'stderr' : 'stdout'
      this.left = this.header.readUInt32BE(4)
    }
  }
}
