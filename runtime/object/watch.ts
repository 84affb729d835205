import { Latch } from '../base/latch.ts'

interface Watched {
  /** Another one each time that the link was opened again. */
  linkDown: Latch
  readonly silent: Latch
  readonly oom: Latch
  readonly killed: Latch
}

/**
 * What is heard of containers from outside, by the engine's id: that the agent's link went down, that memory ran out, that
 * somebody had the engine kill it.
 */
export class ContainerWatch {
  readonly #watched = new Map<string, Watched>()

  /** Listens for a container until `forget` is called. */
  watch(id: string): {
    readonly linkDown: Promise<void>
    readonly silent: Promise<void>
    readonly oom: Latch
    readonly killed: Latch
    forget(): void
  } {
    const watched: Watched = { linkDown: new Latch(), silent: new Latch(), oom: new Latch(), killed: new Latch() }
    this.#watched.set(id, watched)
    return {
      get linkDown() {
        return watched.linkDown.promise
      },
      silent: watched.silent.promise,
      oom: watched.oom,
      killed: watched.killed,
      forget: () => {
        watched.linkDown.resolve()
        watched.silent.resolve()
        this.#watched.delete(id)
      },
    }
  }

  linkDown(id: string): void {
    this.#watched.get(id)?.linkDown.resolve()
  }

  /** The agent opened its link again, through a gateway that replaced a lost one. */
  linkUp(id: string): void {
    const watched = this.#watched.get(id)
    if (watched?.linkDown.settled === true) watched.linkDown = new Latch()
  }

  /** All that it wrote has been told. */
  silent(id: string): void {
    this.#watched.get(id)?.silent.resolve()
  }

  outOfMemory(id: string): void {
    this.#watched.get(id)?.oom.resolve()
  }

  /** The engine sent it a signal that ends it, whoever asked for that. */
  killed(id: string): void {
    this.#watched.get(id)?.killed.resolve()
  }
}
