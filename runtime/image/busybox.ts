/** A static busybox for containers that have no shell, taken from an image or a file; never put into an image. */
import { readFile } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { extract, pack } from 'tar-stream'
import type { Engine } from '../engine/engine.ts'
import { MoorageError } from '../protocol/errors.ts'

/** The image that has a static busybox at /bin/busybox. */
export const BUSYBOX_IMAGE = 'busybox:musl'

/** Where it lies in a container. */
export const BUSYBOX_PATH = '/.moorage/busybox'

/** A program of this size is no busybox. */
const MAX_BYTES = 16_777_216

/** The program, and where it came from in words. */
export interface FoundBusybox {
  readonly program: Buffer
  readonly from: string
}

/**
 * Gets the program from a file of this machine, or from an image, which is pulled where it is not there.
 * @param source an absolute path, or an image's reference.
 * @throws MoorageError `image-not-found` that says how to set another source.
 */
export async function findBusybox(
  engine: Engine,
  source: string,
  labels: Readonly<Record<string, string>>,
): Promise<FoundBusybox> {
  try {
    if (source.startsWith('/')) return { program: await readProgram(source), from: `the file ${source}` }
    if ((await engine.images.inspect(source)) === undefined) await engine.images.pull(source)
    return { program: await fromImage(engine, source, labels), from: `the image ${source}` }
  } catch (error) {
    throw new MoorageError(
      'image-not-found',
      `The image has no shell, and no busybox could be taken from ${source}: ${error instanceof Error ? error.message : error}`,
      {
        advice: [
          'Set MOORAGE_BUSYBOX, where moorage dev runs, to another image with /bin/busybox, or to the path of a static busybox.',
        ],
        cause: error,
      },
    )
  }
}

/** A program of this machine. @throws Error with a sentence */
async function readProgram(path: string): Promise<Buffer> {
  try {
    return await readFile(path)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw new Error(code === 'ENOENT' ? 'There is no such file.' : code === 'EISDIR' ? 'It is a folder.' : message)
  }
}

/** A tar for the root of a container. */
export async function busyboxFiles(program: Buffer): Promise<Buffer> {
  const tar = pack()
  tar.entry({ name: BUSYBOX_PATH.slice(1), mode: 0o755 }, program)
  tar.finalize()
  const chunks: Buffer[] = []
  for await (const chunk of tar as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks)
}

async function fromImage(engine: Engine, image: string, labels: Readonly<Record<string, string>>): Promise<Buffer> {
  const id = await engine.createContainer({ Image: image, Cmd: ['true'], Labels: labels })
  try {
    const tar = extract()
    let program: Buffer | undefined
    tar.on('entry', (header, stream, next) => {
      const chunks: Buffer[] = []
      let size = 0
      stream.on('data', (chunk: unknown) => {
        size += (chunk as Buffer).length
        if (size <= MAX_BYTES) chunks.push(chunk as Buffer)
      })
      stream.on('end', () => {
        if (header.type === 'file' && size > 0 && size <= MAX_BYTES) program = Buffer.concat(chunks)
        next()
      })
    })
    await pipeline(await engine.getArchive(id, '/bin/busybox'), tar)
    if (program === undefined) throw new Error('There is no file /bin/busybox in it.')
    return program
  } finally {
    await engine.remove(id, { force: true })
  }
}
