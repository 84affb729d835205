/** A build context as the tar that the builder gets. */
import { createReadStream } from 'node:fs'
import { readlink } from 'node:fs/promises'
import path from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type Pack, pack } from 'tar-stream'
import type { Context } from './context.ts'

/** The files belong to root in the image, whoever they belong to here. */
const OWNER = { uid: 0, gid: 0 }

/** The tar, made as it is read, without these files of it. Its errors are those of the files. */
export function contextTar(context: Context, without: ReadonlySet<string> = new Set()): Readable {
  const tar = pack()
  fillTar(tar, context, without).catch((error) => tar.destroy(error as Error))
  return Readable.from(tar, { objectMode: false })
}

async function fillTar(tar: Pack, context: Context, without: ReadonlySet<string>): Promise<void> {
  for (const [name, body] of context.extra) {
    if (!without.has(name)) tar.entry({ name, mode: 0o644, ...OWNER }, body)
  }
  for (const { name, type, mode, stats } of context.entries) {
    if (tar.destroyed) return
    if (without.has(name)) continue
    const file = path.join(context.folder, name)
    const header = { name, mode, mtime: stats.mtime, ...OWNER }
    if (type === 'folder') tar.entry({ ...header, type: 'directory' })
    else if (type === 'link') tar.entry({ ...header, type: 'symlink', linkname: await readlink(file) })
    else if (stats.size === 0) tar.entry(header, '')
    else await pipeline(createReadStream(file, { end: stats.size - 1 }), tar.entry({ ...header, size: stats.size }))
  }
  tar.finalize()
}
