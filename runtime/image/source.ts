/** What an image is built from, and the digest that tells one content from another. */
import type { ContainerConfig } from '../protocol/child.ts'
import { type Context, contextDigest, readContext } from './context.ts'
import type { HashCache } from './hash-cache.ts'

/** A reference, or a Dockerfile and its context. */
export type ImageSource = ContainerConfig['image']

export interface ContentOptions {
  /** Set over the config's own build arguments. */
  readonly buildArgs?: Readonly<Record<string, string>>
  /** The stage to build; undefined: the last. */
  readonly target?: string
  /** `linux/amd64`; undefined: the engine's own. */
  readonly platform?: string
  readonly cache: HashCache
  readonly signal?: AbortSignal
}

export interface Content {
  readonly context: Context
  readonly args: Readonly<Record<string, string>>
  /** SHA-256 in hex over the Dockerfile, the context, the arguments, target and platform. */
  readonly digest: string
}

/** Reads a content as it is on disk now. Rejects as readContext does. */
export async function readContent(
  source: Extract<ImageSource, { dockerfile: string }>,
  options: ContentOptions,
): Promise<Content> {
  const { cache, target = '', platform = '', signal } = options
  const args = { ...source.args, ...options.buildArgs }
  await cache.load()
  const context = await readContext(source.dockerfile, source.context)
  const digest = await contextDigest(
    context,
    cache,
    [JSON.stringify(Object.entries(args).sort()), target, platform],
    signal,
  )
  await cache.save()
  return { context, args, digest }
}
