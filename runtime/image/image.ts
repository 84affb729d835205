/** The image of a class: built once per content, or pulled where it is not there. */

import type { Engine } from '../engine/engine.ts'
import type { ImageInfo } from '../engine/image-answers.ts'
import { MoorageError } from '../protocol/errors.ts'
import { build } from './build.ts'
import { buildHeader, type LoginSource, pullHeader, userLogins } from './credentials.ts'
import { baseImage, parseDockerfile, stagesOf } from './dockerfile.ts'
import { checkPlatform, type PlatformOptions } from './platform.ts'
import { type ImageProgress, PullLog } from './progress.ts'
import { retireImages } from './retire.ts'
import { type ContentOptions, type ImageSource, readContent } from './source.ts'

/** The label of images that Moorage built: `<project>/<class>`. */
export const IMAGE_LABEL = 'moorage.image'

export interface PrepareOptions extends PlatformOptions, ContentOptions {
  readonly project: string
  readonly className: string
  /** Who the user is at registries; undefined: by the docker command's login. */
  readonly logins?: LoginSource
  /** Called only while something is built or pulled. */
  onProgress?(progress: ImageProgress): void
  /** The builder's output, a line each. */
  onOutput?(line: string): void
}

/** An image that is there and can run. */
export interface PreparedImage {
  /** What to create a container from: the engine's id, so that a later build under the same name changes nothing. */
  readonly image: string
  /** The same for people: `moorage/<project>-<class>:<digest>`, or the reference. */
  readonly reference: string
  /** Of the content that it was built from; the image's id where it was not built. */
  readonly digest: string
  readonly how: 'present' | 'built' | 'pulled'
  readonly tookMs: number
  readonly info: ImageInfo
  /** Sentences for people; mostly none. */
  readonly warnings: readonly string[]
}

/**
 * Makes an image ready. Rejects with 'dockerfile-missing', 'build-failed', 'disk-full', 'image-not-found', 'image-platform' or 'engine-lost'.
 * An aborted preparation leaves behind what the engine keeps of it as a cache.
 */
export async function prepareImage(
  engine: Engine,
  source: ImageSource,
  options: PrepareOptions,
): Promise<PreparedImage> {
  const began = performance.now()
  const made =
    'reference' in source
      ? await fromReference(engine, source.reference, options)
      : await fromDockerfile(engine, source, options)
  const warnings = await checkPlatform(engine.about, made.info, made.reference, options)
  return { ...made, image: made.info.id, warnings, tookMs: Math.round(performance.now() - began) }
}

type Made = Pick<PreparedImage, 'reference' | 'digest' | 'how' | 'info'>

async function fromReference(engine: Engine, reference: string, options: PrepareOptions): Promise<Made> {
  const { signal, platform } = options
  const there = await engine.images.inspect(reference, { signal })
  if (there) return { reference, digest: there.id, how: 'present', info: there }
  options.onProgress?.({ how: 'pull', text: `Pulling ${reference}` })
  const log = new PullLog(reference, (progress) => options.onProgress?.(progress))
  await engine.images.pull(reference, {
    signal,
    auth: await pullHeader(reference, options.logins ?? userLogins()),
    ...(platform ? { platform } : {}),
    onProgress: (line) => log.push(line),
  })
  const info = await inspectMade(engine, reference, signal)
  return { reference, digest: info.id, how: 'pulled', info }
}

async function fromDockerfile(
  engine: Engine,
  source: Extract<ImageSource, { dockerfile: string }>,
  options: PrepareOptions,
): Promise<Made> {
  const { signal, target, platform } = options
  const { context, args, digest } = await readContent(source, options)
  const reference = `${imageName(options.project, options.className)}:${digest.slice(0, 12)}`
  const there = await engine.images.inspect(reference, { signal })
  if (
    there &&
    (await standsOn(engine, there, baseImage(parseDockerfile(context.dockerfileText), args, target), signal))
  ) {
    return { reference, digest, how: 'present', info: there }
  }
  const bases = stagesOf(parseDockerfile(context.dockerfileText), args).map((stage) => stage.from)
  const label = `${options.project}/${options.className}`
  options.onProgress?.({ how: 'build', text: `Building ${source.dockerfile}` })
  await build(engine, context, {
    file: source.dockerfile,
    reference,
    args,
    target,
    platform,
    labels: { [IMAGE_LABEL]: label },
    registries: await buildHeader(bases, options.logins ?? userLogins()),
    signal,
    onProgress: (progress) => options.onProgress?.(progress),
    onOutput: (line) => options.onOutput?.(line),
  })
  const info = await inspectMade(engine, reference, signal)
  // Tidying must not fail what was built.
  await retireImages(engine, label, { id: info.id, reference }, signal).catch(() => {})
  return { reference, digest, how: 'built', info }
}

/** Whether an image was built on the base of that name as it is now. Where the base is not there, it cannot have changed. */
async function standsOn(
  engine: Engine,
  image: ImageInfo,
  base: string | undefined,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const info = base === undefined ? undefined : await engine.images.inspect(base, { signal })
  return !info || info.layers.every((layer, index) => image.layers[index] === layer)
}

async function inspectMade(engine: Engine, reference: string, signal: AbortSignal | undefined): Promise<ImageInfo> {
  const info = await engine.images.inspect(reference, { signal })
  if (!info)
    throw new MoorageError('image-missing', `The image ${reference} was made and is not there; something removed it.`, {
      advice: ['Try again.'],
    })
  return info
}

/** `moorage/<project>-<class>`, as references allow: lower case, and nothing but letters, digits and single separators. */
export function imageName(project: string, className: string): string {
  const word = (text: string) =>
    text
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-|-$/g, '') || 'x'
  return `moorage/${word(project)}-${word(className)}`
}
