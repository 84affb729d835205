/** Of all processes; beyond it, those that have written nothing for longest keep little, or nothing that the disk takes. */
const HELD_BYTES = 16_777_216
/** Of all processes: on the way to disk. A disk that is slower than they are gets no more. */
const UNDER_WAY_BYTES = 33_554_432

/** What holds bytes, and can hold less. */
export interface Holder {
  shrink(): void
}

/** The memory that the kept output of all processes of a session takes together. */
export class OutputMemory {
  /** Those that can hold less, the longest silent first. */
  readonly #holders = new Set<Holder>()
  #heldBytes = 0
  #underWayBytes = 0

  /** Bytes that all hold together. */
  get heldBytes(): number {
    return this.#heldBytes
  }

  /** One holds so many bytes more, or less. Others, and it as well, may be told to shrink. */
  changed(holder: Holder, bytes: number): void {
    this.#heldBytes += bytes
    if (bytes <= 0) return
    this.#holders.delete(holder)
    this.#holders.add(holder)
    for (const oldest of this.#holders) {
      if (this.#heldBytes <= HELD_BYTES) return
      this.#holders.delete(oldest)
      oldest.shrink()
    }
  }

  /** It holds nothing any more. */
  forget(holder: Holder): void {
    this.#holders.delete(holder)
  }

  /** Whether so many bytes more may be on their way to disk. */
  mayWrite(bytes: number): boolean {
    return this.#underWayBytes + bytes <= UNDER_WAY_BYTES
  }

  /** So many bytes more are on their way, or less. */
  writing(bytes: number): void {
    this.#underWayBytes += bytes
  }
}
