/** What of Moorage's own parts stands in the words of wrangler and workerd, and has to go: the developer has written none of it. */
import { basename, dirname, relative } from 'node:path'

const FRAME = /^\s+at /u

/** The project's main module, what was generated around it, and what that imports. Paths are absolute. */
export interface Places {
  readonly config: string
  readonly main: string
  /** The generated entry. */
  readonly entry: string
  /** dist/worker.js. */
  readonly workerModule: string
}

/** Makes texts that name only the developer's own files. */
export class TheirWords {
  readonly #ours: readonly string[]
  readonly #entry: RegExp
  readonly #main: string

  constructor({ config, main, entry, workerModule }: Places) {
    const dist = dirname(workerModule)
    const folders = [dirname(entry), dist, `${dirname(dist)}/runtime/worker`].map(slashed)
    this.#ours = [...folders.map((folder) => `${folder}/`), 'wrangler/templates/middleware/']
    this.#entry = new RegExp(`[^\\s"'(]*${basename(entry).replaceAll('.', '\\.')}`, 'g')
    this.#main = slashed(relative(dirname(config), main))
  }

  /** Whether a path, or a line of a stack that has one, is Moorage's or that of wrangler's own middleware. */
  isOurs(path: string): boolean {
    const text = slashed(path)
    return this.#ours.some((part) => text.includes(part))
  }

  /** A text without the lines of a stack that are ours, and with the main module where the entry was named; maybe empty. */
  of(text: string): string {
    const lines = text.split('\n').filter((line) => !(FRAME.test(line) && this.isOurs(line)))
    return lines.join('\n').replace(this.#entry, this.#main)
  }
}

function slashed(path: string): string {
  return path.replaceAll('\\', '/')
}
