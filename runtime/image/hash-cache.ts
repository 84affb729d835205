/** Hashes of files that have not changed since they were read, so that an unchanged context is decided by looking at its files, not into them. */
import type { Stats } from 'node:fs'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { z } from 'zod'

/** A file younger than this may change again without another mtime, so its hash is not kept. Milliseconds; FAT has 2 s. */
const SETTLED_MS = 2000

/** Files remembered at most, the latest: some 20 MB on disk. */
const LIMIT = 100_000

const Saved = z.object({ version: z.literal(1), files: z.record(z.string(), z.tuple([z.string(), z.string()])) })

/** In memory, and on disk where it has a file. A wrong or lost file costs time, never a wrong answer. */
export class HashCache {
  private readonly files = new Map<string, readonly [mark: string, hash: string]>()
  private readonly file: string | undefined
  private readonly now: () => number
  private loaded: Promise<void> | undefined
  private changed = false

  constructor(file?: string, now: () => number = Date.now) {
    this.file = file
    this.now = now
  }

  /** Reads what was saved; once. */
  load(): Promise<void> {
    this.loaded ??= this.read()
    return this.loaded
  }

  get(file: string, stats: Stats): string | undefined {
    const known = this.files.get(file)
    return known?.[0] === mark(stats) ? known[1] : undefined
  }

  set(file: string, stats: Stats, hash: string): void {
    if (this.now() - Math.max(stats.mtimeMs, stats.ctimeMs) < SETTLED_MS) return
    this.files.delete(file)
    this.files.set(file, [mark(stats), hash])
    if (this.files.size > LIMIT) this.files.delete(this.files.keys().next().value as string)
    this.changed = true
  }

  /** Writes it, whole or not at all; where that fails the next session hashes again. */
  async save(): Promise<void> {
    if (!this.file || !this.changed) return
    this.changed = false
    const part = `${this.file}.${process.pid}`
    try {
      await mkdir(path.dirname(this.file), { recursive: true })
      await writeFile(part, JSON.stringify({ version: 1, files: Object.fromEntries(this.files) }))
      await rename(part, this.file)
    } catch {
      this.changed = true
    }
  }

  private async read(): Promise<void> {
    if (!this.file) return
    try {
      const saved = Saved.parse(JSON.parse(await readFile(this.file, 'utf8')))
      for (const [file, entry] of Object.entries(saved.files)) this.files.set(file, entry)
    } catch {
      // None yet, or not ours.
    }
  }
}

function mark(stats: Stats): string {
  return `${stats.ino} ${stats.size} ${stats.mtimeMs} ${stats.ctimeMs}`
}
