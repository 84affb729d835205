import { watch } from 'node:fs'
import { basename, dirname } from 'node:path'

/** Resolves when a file changes. The folder is watched: an editor may put a new file in the old one's place. */
export async function fileChanged(path: string, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const watcher = watch(dirname(path), { signal }, (_, name) => {
      if (name === basename(path)) resolve()
    })
    // Where a folder cannot be watched, a change of the Worker's files has to do.
    watcher.on('error', () => {})
  })
}
