/** Files of containers and images, for people. The path is anyone's, and a container may change what is there meanwhile. */
import { pipeline } from 'node:stream/promises'
import { extract } from 'tar-stream'
import type { Engine } from './engine/engine.ts'
import { problemOf } from './engine/errors.ts'
import { MoorageError } from './protocol/errors.ts'
import type { ContainerId } from './protocol/model.ts'

/** Larger files are not read. */
export const MAX_FILE_BYTES = 16_777_216
/** Longest path that a kernel takes. */
const MAX_PATH_BYTES = 4_096
/** The engine tells where a link leads with no link in it; another may be put there while we look. */
const MAX_LINKS = 8

/**
 * A file of a container, running or not; links are followed inside it.
 * @param path absolute
 * @throws MoorageError `no-file` where there is none, or it is no file, or too large.
 */
export async function readContainerFile(engine: Engine, id: ContainerId, path: string): Promise<Uint8Array> {
  checkPath(path)
  let at = path
  for (let links = 0; links < MAX_LINKS; links++) {
    const { stat, tar } = await open(engine, id, at, path)
    if (stat.kind === 'file' && stat.sizeBytes <= MAX_FILE_BYTES) return read(tar, path)
    tar.destroy()
    if (stat.kind !== 'link') throw refused(path, stat.kind)
    if (stat.target === '' || stat.target === at) break
    at = stat.target
  }
  throw new MoorageError('no-file', `${path} is a link that leads nowhere.`)
}

/** A file of an image, through a container that is never started. @throws as readContainerFile */
export async function readImageFile(
  engine: Engine,
  image: string,
  labels: Readonly<Record<string, string>>,
  path: string,
): Promise<Uint8Array> {
  checkPath(path)
  const id = await engine.createContainer({
    Image: image,
    // An image may have neither, and the engine wants one.
    Entrypoint: ['/.moorage'],
    Labels: labels,
    HostConfig: { NetworkMode: 'none' },
  })
  try {
    return await readContainerFile(engine, id, path)
  } finally {
    await engine.remove(id, { force: true })
  }
}

function checkPath(path: string): void {
  if (!path.startsWith('/') || path.includes('\0') || Buffer.byteLength(path) > MAX_PATH_BYTES) {
    throw new MoorageError('no-file', 'A path of a container begins with / and has at most 4,096 bytes.')
  }
}

async function open(engine: Engine, id: ContainerId, at: string, path: string): ReturnType<Engine['openPath']> {
  try {
    return await engine.openPath(id, at)
  } catch (error) {
    if (problemOf(error) !== 'not-found') throw error
    throw new MoorageError('no-file', `There is no ${path}.`, { cause: error })
  }
}

function refused(path: string, kind: 'file' | 'folder' | 'other'): MoorageError {
  if (kind === 'file') return tooLarge(path)
  return new MoorageError('no-file', kind === 'folder' ? `${path} is a folder.` : `${path} is no ordinary file.`)
}

function tooLarge(path: string): MoorageError {
  return new MoorageError('no-file', `${path} is larger than ${MAX_FILE_BYTES / 1_048_576} MiB.`)
}

/** The one file of a tar, however long the engine then says that it is. */
async function read(archive: NodeJS.ReadableStream, path: string): Promise<Uint8Array> {
  const tar = extract()
  let file: Buffer | undefined
  tar.on('entry', (header, stream, next) => {
    const chunks: Buffer[] = []
    let size = 0
    stream.on('data', (chunk: unknown) => {
      size += (chunk as Buffer).length
      if (size <= MAX_FILE_BYTES) chunks.push(chunk as Buffer)
      else tar.destroy(tooLarge(path))
    })
    stream.on('end', () => {
      if (header.type === 'file' || header.type === 'contiguous-file') file ??= Buffer.concat(chunks)
      next()
    })
  })
  await pipeline(archive, tar)
  if (file === undefined) throw new MoorageError('no-file', `${path} is no ordinary file any more.`)
  return file
}
