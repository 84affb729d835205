import { Latch } from '../base/latch.ts'
import { CHANNEL_WINDOW_BYTES } from '../protocol/share.ts'

/** What of a process's output is told and not taken: a slow reader stops the process, and nothing else. */
export class Window {
  #under = 0
  #room: Latch | undefined
  #closed = false

  /** So many bytes were told; where that is more than may be, a promise of when more may. */
  told(size: number): Promise<void> | undefined {
    this.#under += size
    if (this.#under <= CHANNEL_WINDOW_BYTES || this.#closed) return undefined
    this.#room ??= new Latch()
    return this.#room.promise
  }

  taken(size: number): void {
    this.#under -= size
    if (this.#under > CHANNEL_WINDOW_BYTES / 2) return
    this.#room?.resolve()
    this.#room = undefined
  }

  /** Nobody reads any more: nothing waits for that. */
  close(): void {
    this.#closed = true
    this.#room?.resolve()
  }
}
