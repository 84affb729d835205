/** What is known of objects that are not in memory: which there are, what they are called, how many have no container. */
import { join } from 'node:path'
import type { ProjectConfig } from './protocol/child.ts'
import type { Happening } from './protocol/events.ts'
import type { ObjectKey, ObjectModel, PlainClassModel } from './protocol/model.ts'
import { type Memory, Remembered } from './remembered.ts'
import { plainClasses, storedObjects } from './stored.ts'

/** Between two counts of the objects without a container; each reads a folder a class. */
const COUNT_MS = 10_000

/** All projects of a session. */
export class Asleep {
  readonly #report: (happening: Happening) => void
  readonly #projects: { readonly home: string; readonly project: ProjectConfig }[] = []
  /** By the config's folder. */
  readonly #files = new Map<string, Remembered>()
  #counted: readonly PlainClassModel[] = []
  #countedAt = Number.NEGATIVE_INFINITY

  constructor(report: (happening: Happening) => void) {
    this.#report = report
  }

  /** Takes a project in. Resolves with its objects that are stored, of classes with a container. */
  async add(home: string, project: ProjectConfig): Promise<ObjectModel[]> {
    this.#projects.push({ home, project })
    this.#countedAt = Number.NEGATIVE_INFINITY
    const file = this.#files.get(home) ?? new Remembered(join(home, '.wrangler', 'moorage', 'objects.json'))
    this.#files.set(home, file)
    await file.load()
    return storedObjects(home, project, (key) => file.get(key))
  }

  /** An object is in memory. */
  saw(key: ObjectKey, memory: Memory): void {
    const className = key.slice(0, key.indexOf('/'))
    const of = this.#projects.find(({ project }) => project.containers.some((one) => one.className === className))
    if (of !== undefined) this.#files.get(of.home)?.saw(key, memory)
  }

  /** Counts the objects without a container, unless that was done just now, and tells where there are others than before. */
  count(): void {
    const now = performance.now()
    if (now - this.#countedAt < COUNT_MS) return
    this.#countedAt = now
    const counting = Promise.all(this.#projects.map(({ home, project }) => plainClasses(home, project)))
    counting.then(
      (lists) => {
        const classes = lists.flat()
        if (JSON.stringify(classes) === JSON.stringify(this.#counted)) return
        this.#counted = classes
        this.#report({ type: 'plain-classes', classes })
      },
      () => undefined,
    )
  }

  /** Writes what is not written yet. */
  async close(): Promise<void> {
    await Promise.all([...this.#files.values()].map((file) => file.close()))
  }
}
