/** Whether the engine can run an image. */
import { readFile } from 'node:fs/promises'
import type { Version } from '../engine/answers.ts'
import type { ImageInfo } from '../engine/image-answers.ts'
import { MoorageError } from '../protocol/errors.ts'

export interface PlatformOptions {
  /** Let an image for another platform through; its start then shows whether the engine can run it. */
  readonly anyPlatform?: boolean
  /** Reads a file of this machine; a test has its own. */
  readonly read?: (file: string) => Promise<string>
}

/** Names of processors in /proc/sys/fs/binfmt_misc. */
const QEMU: Readonly<Record<string, string>> = {
  amd64: 'x86_64',
  arm64: 'aarch64',
  arm: 'arm',
  '386': 'i386',
  riscv64: 'riscv64',
  ppc64le: 'ppc64le',
  s390x: 's390x',
}

/** Engines that come with emulation. */
const EMULATING = /desktop|orbstack|rancher/i

/**
 * Resolves with warnings. Rejects with 'image-platform' where the image is for another platform and nothing says that the engine emulates it: the
 * engine is no desktop product, and this machine, whose kernel a local engine shares, has no handler for it.
 */
export async function checkPlatform(
  engine: Version,
  image: Pick<ImageInfo, 'os' | 'architecture' | 'variant'>,
  reference: string,
  options: PlatformOptions,
): Promise<string[]> {
  // Imported images may say nothing.
  if (!image.architecture || (image.os === engine.os && runs(engine.arch, image.architecture))) return []
  const is = `${image.os}/${image.architecture}${image.variant ? `/${image.variant}` : ''}`
  const wanted = `${engine.os}/${engine.arch}`
  const slow = `The image ${reference} is for ${is}, and the engine is ${wanted}: it runs emulated, slower, and some programs fail.`
  if (
    options.anyPlatform ||
    (image.os === engine.os && (EMULATING.test(engine.product) || (await handled(image.architecture, options.read))))
  )
    return [slow]
  throw new MoorageError('image-platform', `The image ${reference} is for ${is}, and the engine runs ${wanted}.`, {
    advice: [
      `Use or build an image for ${wanted}.`,
      ...(image.os === engine.os
        ? [
            `Or let the engine emulate it: docker run --privileged --rm tonistiigi/binfmt --install ${image.architecture}`,
          ]
        : []),
    ],
    detail: { reference, image: is, engine: wanted },
  })
}

function runs(engine: string, image: string): boolean {
  return engine === image || (engine === 'amd64' && image === '386') || (engine === 'arm64' && image === 'arm')
}

async function handled(
  architecture: string,
  read: (file: string) => Promise<string> = (file) => readFile(file, 'utf8'),
): Promise<boolean> {
  const name = QEMU[architecture]
  if (!name) return false
  for (const handler of [`qemu-${name}`, 'rosetta']) {
    const text = await read(`/proc/sys/fs/binfmt_misc/${handler}`).catch(() => '')
    if (text.startsWith('enabled') && (handler !== 'rosetta' || architecture === 'amd64')) return true
  }
  return false
}
