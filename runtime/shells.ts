import type { Engine } from './engine/engine.ts'
import { BUSYBOX_PATH, busyboxFiles, type FoundBusybox, findBusybox } from './image/busybox.ts'
import type { ContainerId } from './protocol/model.ts'

export interface ShellsOptions {
  readonly engine: Engine
  /** An image, or a path. */
  readonly source: string
  readonly labels: Readonly<Record<string, string>>
}

/** Gives containers without a shell a busybox; found once a session. */
export class Shells {
  readonly #options: ShellsOptions
  #found: Promise<FoundBusybox> | undefined

  constructor(options: ShellsOptions) {
    this.#options = options
  }

  /** Puts it into a container. @throws MoorageError where none can be had */
  async put(container: ContainerId): Promise<{ path: string; note: string }> {
    const { engine, source, labels } = this.#options
    this.#found ??= findBusybox(engine, source, labels)
    this.#found.catch(() => {
      this.#found = undefined
    })
    const { program, from } = await this.#found
    await engine.putArchive(container, '/', await busyboxFiles(program))
    return {
      path: BUSYBOX_PATH,
      note: `This image has no shell. A static busybox from ${from} was put at ${BUSYBOX_PATH} of the running container, not into its image.`,
    }
  }
}
