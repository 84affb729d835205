/** The engine's images. */
import type { Readable } from 'node:stream'
import { MoorageError } from '../protocol/errors.ts'
import { check } from './answers.ts'
import type { Calls } from './calls.ts'
import { connectionError, problemOf, streamError } from './errors.ts'
import { Image, type ImageInfo, ImageList, type ImageSummary, Progress } from './image-answers.ts'
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

export interface BuildCall extends CallOptions {
  /** The header X-Registry-Config: who one is at the registries. */
  readonly registries?: string | undefined
  /** Every line as it comes, the failing one included. */
  onLine(line: Progress): void
}

export interface PullOptions extends CallOptions {
  /** `linux/amd64`; undefined: the engine's own. */
  readonly platform?: string | undefined
  /** The header X-Registry-Auth: who one is at the registry. */
  readonly auth?: string | undefined
  onProgress?(line: Progress): void
}

export interface ImportOptions extends CallOptions {
  readonly reference: string
  /** Dockerfile instructions: `ENTRYPOINT ["/a"]`, `LABEL a=b`. */
  readonly changes?: readonly string[]
}

/** The part of Engine that is about images. */
export class EngineImages {
  private readonly calls: Calls

  constructor(calls: Calls) {
    this.calls = calls
  }

  /** By id, tag or digest; undefined where it is not there. */
  async inspect(reference: string, options: CallOptions = {}): Promise<ImageInfo | undefined> {
    const doing = `inspect the image ${reference}`
    return this.calls.find(Image, { method: 'GET', path: path(reference, '/json'), doing, ...options })
  }

  /** Images with all these labels (`name` or `name=value`). */
  async list(labels: readonly string[], options: CallOptions = {}): Promise<ImageSummary[]> {
    const query = { filters: { label: labels } }
    return this.calls.ask(ImageList, { method: 'GET', path: '/images/json', query, doing: 'list images', ...options })
  }

  /** Makes an image of one layer from a tar, without a registry. Resolves with its id. The tar is read to its end or destroyed. */
  async import(tar: Buffer | Readable, options: ImportOptions): Promise<string> {
    const { reference, changes = [], signal } = options
    const { repository, tag } = splitReference(reference)
    const doing = `import the image ${reference}`
    const query = { fromSrc: '-', repo: repository, tag, changes }
    let id = ''
    await this.follow({ method: 'POST', path: '/images/create', query, stream: tar, doing, signal }, (line) => {
      if (line.status?.startsWith('sha256:')) id = line.status
    })
    return id || (await this.inspect(reference, options))?.id || ''
  }

  async tag(image: string, reference: string, options: CallOptions = {}): Promise<void> {
    const { repository, tag } = splitReference(reference)
    const query = { repo: repository, tag: tag || 'latest' }
    const doing = `tag the image ${image} as ${reference}`
    await this.calls.act({ method: 'POST', path: path(image, '/tag'), query, doing, ...options })
  }

  /** Pulls. Rejects with 'image-not-found' where the registry does not have it, does not show it, or cannot be reached. */
  async pull(reference: string, options: PullOptions = {}): Promise<void> {
    const { platform, auth, signal, onProgress } = options
    const { repository, tag } = splitReference(reference)
    const query = { fromImage: repository, tag: tag || 'latest', platform }
    const headers: Record<string, string> = auth ? { 'X-Registry-Auth': auth } : {}
    const doing = `pull the image ${reference}`
    try {
      await this.follow({ method: 'POST', path: '/images/create', query, headers, doing, signal }, onProgress)
    } catch (error) {
      throw pullError(error, reference)
    }
  }

  /** Builds with a builder of the engine. Rejects with what it says of a failure. The tar is read to its end or destroyed. */
  async build(tar: Readable, build: BuildQuery, options: BuildCall): Promise<void> {
    const { registries, signal, onLine } = options
    const headers: Record<string, string> = registries ? { 'X-Registry-Config': registries } : {}
    // No containers of single steps stay behind.
    const query = { ...build, rm: true, forcerm: true }
    await this.follow(
      { method: 'POST', path: '/build', query, stream: tar, headers, doing: 'build the image', signal },
      onLine,
    )
  }

  /** Removes a tag, or by id the image, with all its tags when `force`. Already gone is fine; rejects with problem 'in-use' where a container needs it. */
  async remove(reference: string, options: CallOptions & { readonly force?: boolean } = {}): Promise<void> {
    const { force, signal } = options
    await this.calls.drop(path(reference), `remove the image ${reference}`, { query: { force }, signal })
  }

  private async follow(call: Call, onLine?: (line: Progress) => void): Promise<void> {
    const response = await this.calls.send(call)
    try {
      for await (const value of jsonLines(response)) {
        const line = check(Progress, value, call.doing)
        onLine?.(line)
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
    return new MoorageError(
      'image-platform',
      `The image ${reference} is not there for the engine's platform: ${said}`,
      { detail, cause: error },
    )
  }
  if (
    /lookup |dial tcp|i\/o timeout|connection refused|network is unreachable|TLS handshake|proxyconnect|Client\.Timeout/i.test(
      said,
    )
  ) {
    return new MoorageError(
      'image-not-found',
      `The image ${reference} is not on this machine, and its registry cannot be reached: ${said}`,
      {
        advice: ['Connect to the network and try again, or load the image into the engine yourself (`docker load`).'],
        detail: { ...detail, unreachable: true },
        cause: error,
      },
    )
  }
  if (problemOf(error) === 'permission' || /denied|unauthorized/i.test(said)) {
    return new MoorageError(
      'image-not-found',
      `The registry does not give out the image ${reference}: it is not there, or it is private.`,
      {
        advice: ['Check its name.', 'If it is private, log in first: `docker login`.'],
        detail,
        cause: error,
      },
    )
  }
  return new MoorageError('image-not-found', `There is no image ${reference}: ${said}`, {
    advice: ['Check its name and tag.'],
    detail,
    cause: error,
  })
}

/** A reference's slashes stay. */
function path(reference: string, what = ''): string {
  return `/images/${reference.split('/').map(encodeURIComponent).join('/')}${what}`
}
