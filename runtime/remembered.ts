/** Names of objects and when they woke, over sessions: storage has only their ids. A lost or wrong file costs names, nothing else. */
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { z } from 'zod'
import type { ObjectKey } from './protocol/model.ts'

/** Objects remembered at most, those that woke last: some 600 kB on disk. */
const LIMIT = 5_000
/** Longest name kept, in characters. */
const MAX_NAME = 1_000
/** What changed is written after this, all of it at once. */
const WRITE_AFTER_MS = 2_000

/** What is remembered of an object. */
export interface Memory {
  readonly name?: string | undefined
  readonly wokeAt?: number | undefined
}

const Saved = z.object({
  version: z.literal(1),
  objects: z.record(z.string(), z.object({ name: z.string().max(MAX_NAME).optional(), wokeAt: z.number().optional() })),
})

/** In memory, and in a file of the project's `.wrangler/moorage`. */
export class Remembered {
  readonly #file: string
  readonly #objects = new Map<ObjectKey, Memory>()
  #loading: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  #writing: Promise<void> = Promise.resolve()

  constructor(file: string) {
    this.#file = file
  }

  /** Reads what was saved; once. */
  load(): Promise<void> {
    this.#loading ??= this.#load()
    return this.#loading
  }

  get(key: ObjectKey): Memory | undefined {
    return this.#objects.get(key)
  }

  /** An object is in memory. */
  saw(key: ObjectKey, { name, wokeAt }: Memory): void {
    const known = this.#objects.get(key)
    const kept = name === undefined || name.length > MAX_NAME ? known?.name : name
    if (known !== undefined && known.name === kept && known.wokeAt === wokeAt) return
    this.#objects.delete(key)
    this.#objects.set(key, { name: kept, wokeAt })
    if (this.#objects.size > LIMIT) this.#objects.delete(this.#objects.keys().next().value as ObjectKey)
    this.#timer ??= setTimeout(() => this.#write(), WRITE_AFTER_MS).unref()
  }

  /** Writes what is not written yet. */
  async close(): Promise<void> {
    if (this.#timer !== undefined) this.#write()
    await this.#writing
  }

  #write(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#writing = this.#writing.then(() => this.#save()).catch(() => undefined)
  }

  /** Whole or not at all. */
  async #save(): Promise<void> {
    const part = `${this.#file}.${process.pid}`
    try {
      await mkdir(dirname(this.#file), { recursive: true })
      await writeFile(part, JSON.stringify({ version: 1, objects: Object.fromEntries(this.#objects) }), { mode: 0o600 })
      await rename(part, this.#file)
    } catch (error) {
      await rm(part, { force: true })
      throw error
    }
  }

  async #load(): Promise<void> {
    try {
      const { objects } = Saved.parse(JSON.parse(await readFile(this.#file, 'utf8')))
      for (const [key, memory] of Object.entries(objects).slice(-LIMIT)) this.#objects.set(key as ObjectKey, memory)
    } catch {
      // None yet, or not ours.
    }
  }
}
