/** Watches what an image is built from, and tells when it really became another. */
import { type FSWatcher, watch } from 'node:fs'
import path from 'node:path'
import { type ContentOptions, type ImageSource, readContent } from './source.ts'

export interface WatchOptions extends Omit<ContentOptions, 'signal'> {
  /** The digest that the present image was built from. */
  readonly digest: string
  /** Called after the content has changed, with its new digest; undefined where it cannot be read (a Dockerfile that is gone). Once for a burst of changes. */
  onChange(digest: string | undefined): void
  /** How long nothing must happen before the content is looked at. */
  readonly settleMs?: number
}

/** Owned by who made it. */
export interface ContextWatch {
  dispose(): void
}

/** Editors write a file in several steps, and `git checkout` many files. */
const SETTLE_MS = 150

/** Where the system has no more watches to give, it is looked at this often. */
const POLL_MS = 2000

/**
 * Watches a source; an image reference never changes. What .dockerignore leaves out is not watched, so node_modules there costs nothing. Resolves
 * when the watches are set; a change between `digest` and then is told as well.
 */
export async function watchContext(source: ImageSource, options: WatchOptions): Promise<ContextWatch> {
  if ('reference' in source) return { dispose: () => {} }
  const watching = new Watching(source, options)
  await watching.look()
  return watching
}

class Watching implements ContextWatch {
  private readonly source: Extract<ImageSource, { dockerfile: string }>
  private readonly options: WatchOptions
  private readonly watchers = new Map<string, FSWatcher>()
  private digest: string | undefined
  private timer: NodeJS.Timeout | undefined
  private polling: NodeJS.Timeout | undefined
  private looking = false
  private again = false
  private disposed = false

  constructor(source: Extract<ImageSource, { dockerfile: string }>, options: WatchOptions) {
    this.source = source
    this.options = options
    this.digest = options.digest
  }

  dispose(): void {
    this.disposed = true
    clearTimeout(this.timer)
    clearInterval(this.polling)
    for (const watcher of this.watchers.values()) watcher.close()
    this.watchers.clear()
  }

  /** Sets the watches, reads the content, and tells where it differs. One at a time. */
  async look(): Promise<void> {
    if (this.looking) {
      this.again = true
      return
    }
    this.looking = true
    try {
      do {
        this.again = false
        await this.lookOnce()
      } while (this.again && !this.disposed)
    } finally {
      this.looking = false
    }
  }

  private async lookOnce(): Promise<void> {
    const { folder, dockerfile } = { folder: this.source.context, dockerfile: this.source.dockerfile }
    // The folders themselves first, so that a context which cannot be read now is seen when it can.
    const wanted = new Set([folder, path.dirname(dockerfile)])
    const before = await this.read()
    for (const name of before?.looked ?? []) wanted.add(path.join(folder, name))
    const added = this.watchOnly(wanted)
    // What changed while the watches were being set would otherwise be seen by neither.
    const digest = added ? (await this.read())?.digest : before?.digest
    if (this.disposed || digest === this.digest) return
    this.digest = digest
    this.options.onChange(digest)
  }

  private async read(): Promise<{ readonly digest: string; readonly looked: readonly string[] } | undefined> {
    try {
      const { context, digest } = await readContent(this.source, this.options)
      return { digest, looked: context.looked }
    } catch {
      return undefined
    }
  }

  /** Returns whether a watch was added. */
  private watchOnly(folders: ReadonlySet<string>): boolean {
    if (this.disposed) return false
    let added = false
    for (const [folder, watcher] of this.watchers) {
      if (folders.has(folder)) continue
      watcher.close()
      this.watchers.delete(folder)
    }
    for (const folder of folders) {
      if (this.watchers.has(folder)) continue
      try {
        // Not recursive: Node's own recursion on Linux watches every file, also those that are left out.
        const watcher = watch(folder, () => this.changed())
        watcher.on('error', () => {
          this.watchers.delete(folder)
          this.changed()
        })
        this.watchers.set(folder, watcher)
        added = true
      } catch (error) {
        const code = (error as NodeJS.ErrnoException).code
        if (code === 'ENOSPC' || code === 'EMFILE')
          this.polling ??= setInterval(() => void this.look(), POLL_MS).unref()
      }
    }
    return added
  }

  private changed(): void {
    if (this.disposed) return
    clearTimeout(this.timer)
    this.timer = setTimeout(() => void this.look(), this.options.settleMs ?? SETTLE_MS)
  }
}
