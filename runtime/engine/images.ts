/** The engine's images. */
import type { Readable } from 'node:stream'
import { MoorageError } from '../protocol/errors.ts'
import { check, Image, type ImageInfo, ImageList, type ImageSummary, Progress } from './answers.ts'
import { connectionError, isGone, problemOf, streamError } from './errors.ts'
import { jsonLines } from './json-lines.ts'
import type { Call, CallOptions } from './transport.ts'

/** Query of POST /build, as the engine names it. */
export interface BuildQuery {
  /** 1: the classic builder. 2: BuildKit, whose progress comes as `aux` of lines with the id `moby.buildkit.trace`. */
  readonly version: '1' | '2'
  readonly dockerfile: string
  readonly t?: string
  readonly target?: string | undefined
  readonly platform?: string | undefined
  readonly buildargs?: Readonly<Record<string, string>>
  readonly labels?: Readonly<Record<string, string>>
}

interface Calls {
  readonly name: string
  send(call: Call): Promise<Readable>
  json(call: Call): Promise<unknown>
}

export class EngineImages {
  private readonly calls: Calls

  constructor(calls: Calls) {
    this.calls = calls
  }

  /** By id, tag or digest; undefined where it is not there. */
  async inspect(reference: string, options: CallOptions = {}): Promise<ImageInfo | undefined> {
    const doing = `inspect the image ${reference}`
    try {
      return check(Image, await this.calls.json({ method: 'GET', path: `/images/${encodePath(reference)}/json`, doing, ...options }), doing)
    } catch (error) {
      if (isGone(error)) return undefined
      throw error
    }
  }

  async list(labels: readonly string[], options: CallOptions = {}): Promise<ImageSummary[]> {
    const doing = 'list images'
    return check(ImageList, await this.calls.json({ method: 'GET', path: '/images/json', query: { filters: { label: labels } }, doing, ...options }), doing)
  }

  /**
   * Makes an image of one layer from a tar; no registry, no network. `changes` are Dockerfile instructions (`ENTRYPOINT ["/a"]`, `LABEL a=b`).
   * Resolves with its id. The tar is read to its end or destroyed.
   */
  async import(tar: Buffer | Readable, options: { readonly reference: string; readonly changes?: readonly string[]; readonly platform?: string } & CallOptions): Promise<string> {
    const { repository, tag } = splitReference(options.reference)
    const doing = `import the image ${options.reference}`
    const query = { fromSrc: '-', repo: repository, tag, changes: options.changes ?? [], platform: options.platform }
    let id = ''
    await this.follow({ method: 'POST', path: '/images/create', query, stream: tar, doing, signal: options.signal }, (line) => {
      if (line.status?.startsWith('sha256:')) id = line.status
    })
    return id || (await this.inspect(options.reference, options))?.id || ''
  }

  async tag(image: string, reference: string, options: CallOptions = {}): Promise<void> {
    const { repository, tag } = splitReference(reference)
    await drain(await this.calls.send({ method: 'POST', path: `/images/${encodePath(image)}/tag`, query: { repo: repository, tag: tag || 'latest' }, doing: `tag the image ${image} as ${reference}`, ...options }))
  }

  /** Pulls with the engine's progress. Rejects with 'image-not-found' where the registry does not have it or does not show it. */
  async pull(reference: string, options: { readonly platform?: string; readonly auth?: string; onProgress?(line: Progress): void } & CallOptions = {}): Promise<void> {
    const { repository, tag } = splitReference(reference)
    const doing = `pull the image ${reference}`
    const headers: Record<string, string> = options.auth ? { 'X-Registry-Auth': options.auth } : {}
    try {
      await this.follow({ method: 'POST', path: '/images/create', query: { fromImage: repository, tag: tag || 'latest', platform: options.platform }, headers, doing, signal: options.signal }, (line) => options.onProgress?.(line))
    } catch (error) {
      throw pullError(error, reference)
    }
  }

  /** Builds with a builder of the engine, every line as it comes, the failing one included. Rejects with what the engine says of a failure. The tar is read to its end or destroyed. */
  async build(tar: Readable, query: BuildQuery, options: { readonly registries?: string; onLine(line: Progress): void } & CallOptions): Promise<void> {
    const headers: Record<string, string> = options.registries ? { 'X-Registry-Config': options.registries } : {}
    // No containers of single steps stay behind.
    const all = { ...query, rm: true, forcerm: true }
    await this.follow({ method: 'POST', path: '/build', query: all, stream: tar, headers, doing: 'build the image', signal: options.signal }, options.onLine)
  }

  /** Removes a tag, or by id the image with all its tags when `force`. Already gone is fine; rejects with problem 'in-use' where a container needs it. */
  async remove(reference: string, options: { readonly force?: boolean } & CallOptions = {}): Promise<void> {
    try {
      await drain(await this.calls.send({ method: 'DELETE', path: `/images/${encodePath(reference)}`, query: { force: options.force }, doing: `remove the image ${reference}`, signal: options.signal }))
    } catch (error) {
      if (!isGone(error)) throw error
    }
  }

  private async follow(call: Call, onLine: (line: Progress) => void): Promise<void> {
    const response = await this.calls.send(call)
    try {
      for await (const value of jsonLines(response)) {
        const line = check(Progress, value, call.doing)
        onLine(line)
        const message = line.errorDetail?.message ?? line.error
        if (message !== undefined) throw streamError(message, call.doing)
      }
    } catch (error) {
      call.signal?.throwIfAborted()
      throw connectionError(error, call.doing, this.calls.name)
    }
  }
}

/** `repo:tag` apart, `repo@digest` with the digest as its tag, as the engine wants it. No tag: ''. */
export function splitReference(reference: string): { readonly repository: string; readonly tag: string } {
  const at = reference.indexOf('@')
  if (at >= 0) {
    const { repository } = splitReference(reference.slice(0, at))
    return { repository, tag: reference.slice(at + 1) }
  }
  const colon = reference.lastIndexOf(':')
  if (colon < 0 || reference.indexOf('/', colon) >= 0) return { repository: reference, tag: '' }
  return { repository: reference.slice(0, colon), tag: reference.slice(colon + 1) }
}

/** What a failed pull means. */
function pullError(error: unknown, reference: string): unknown {
  if (!(error instanceof MoorageError) || error.code === 'engine-lost' || error.code === 'disk-full') return error
  const said = String(error.detail.engineMessage ?? error.message)
  const detail = { ...error.detail, reference }
  if (/no matching manifest|does not match the specified platform|image operating system/i.test(said)) {
    return new MoorageError('image-platform', `The image ${reference} is not there for the engine's platform: ${said}`, { detail, cause: error })
  }
  if (/lookup |dial tcp|i\/o timeout|connection refused|network is unreachable|TLS handshake|proxyconnect|Client\.Timeout/i.test(said)) {
    return new MoorageError('image-not-found', `The image ${reference} is not on this machine, and its registry cannot be reached: ${said}`, {
      advice: ['Connect to the network and try again, or load the image into the engine yourself (`docker load`).'],
      detail: { ...detail, unreachable: true },
      cause: error,
    })
  }
  if (problemOf(error) === 'permission' || /denied|unauthorized/i.test(said)) {
    return new MoorageError('image-not-found', `The registry does not give out the image ${reference}: it is not there, or it is private.`, {
      advice: ['Check its name.', 'If it is private, log in first: `docker login`.'],
      detail,
      cause: error,
    })
  }
  return new MoorageError('image-not-found', `There is no image ${reference}: ${said}`, { advice: ['Check its name and tag.'], detail, cause: error })
}

/** A reference inside a path: its slashes stay. */
function encodePath(reference: string): string {
  return reference.split('/').map(encodeURIComponent).join('/')
}

async function drain(response: Readable): Promise<void> {
  for await (const _ of response);
}
