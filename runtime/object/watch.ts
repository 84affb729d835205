import { Latch } from '../base/latch.ts'

interface Watched {
  readonly linkDown: Latch
  readonly oom: Latch
}

/** What is heard of containers from outside, by the engine's id: that the agent's link went down, that memory ran out. */
export class ContainerWatch {
  readonly #watched = new Map<string, Watched>()

  /** Listens for a container until `forget` is called. */
  watch(id: string): { readonly linkDown: Promise<void>; readonly oom: Latch; forget(): void } {
    const watched: Watched = { linkDown: new Latch(), oom: new Latch() }
    this.#watched.set(id, watched)
    return {
      linkDown: watched.linkDown.promise,
      oom: watched.oom,
      forget: () => {
        watched.linkDown.resolve()
        this.#watched.delete(id)
      },
    }
  }

  linkDown(id: string): void {
    this.#watched.get(id)?.linkDown.resolve()
  }

  outOfMemory(id: string): void {
    this.#watched.get(id)?.oom.resolve()
  }
}
