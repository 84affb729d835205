/** A build context: which files belong to it, a digest of them, and the tar that the builder gets. */
import { createHash } from 'node:crypto'
import { createReadStream, lstatSync, type Stats } from 'node:fs'
import { readdir, readFile, readlink } from 'node:fs/promises'
import path from 'node:path'
import { pipeline } from 'node:stream/promises'
import { MoorageError } from '../protocol/errors.ts'
import type { HashCache } from './hash-cache.ts'
import { type IgnoreRules, parseIgnore } from './ignore.ts'

/** Files above this are hashed as a stream. */
const STREAM_BYTES = 1024 * 1024

/** One file, link or folder of a context. */
export interface Entry {
  /** Relative to the context, with `/`. */
  readonly name: string
  readonly type: 'file' | 'link' | 'folder'
  /** Permission bits. */
  readonly mode: number
  readonly stats: Stats
}

/** A context as it is on disk now. */
export interface Context {
  readonly folder: string
  /** Sorted by name. */
  readonly entries: readonly Entry[]
  readonly dockerfileText: string
  /** The Dockerfile's name in the tar. */
  readonly dockerfileName: string
  /** Files that are sent and not in the folder under that name: a Dockerfile from elsewhere, and what hides it. */
  readonly extra: ReadonlyMap<string, string>
  /** Names in the tar that only the builder may see: COPY must not find them. */
  readonly hidden: ReadonlySet<string>
  /** Folders that were looked into, relative, '' for the context itself: where something new may appear. */
  readonly looked: readonly string[]
}

/**
 * wrangler's state, and ours: with each request something changes there. It is no part of a context, or an image whose context
 * is the project's folder would be built anew for ever.
 */
const STATE = '.wrangler'

/** The name in the tar of a Dockerfile that is outside of its context. */
const OUTSIDE = '.moorage.dockerfile'

/**
 * Lists a context after its .dockerignore (or `<Dockerfile>.dockerignore`). Rejects with 'dockerfile-missing', or 'config-invalid' where the
 * folder is not there or the ignore file is wrong.
 */
export async function readContext(dockerfile: string, folder: string): Promise<Context> {
  let dockerfileText: string
  try {
    dockerfileText = await readFile(dockerfile, 'utf8')
  } catch (error) {
    throw new MoorageError('dockerfile-missing', `There is no Dockerfile at ${dockerfile}.`, {
      advice: ['Create it, or correct `image` of this container in the wrangler config.'],
      detail: { file: dockerfile },
      cause: error,
    })
  }
  const specific = await text(`${dockerfile}.dockerignore`)
  const general = await text(path.join(folder, '.dockerignore'))
  let rules: IgnoreRules
  try {
    rules = parseIgnore(specific ?? general ?? '')
  } catch (error) {
    const file = specific === undefined ? path.join(folder, '.dockerignore') : `${dockerfile}.dockerignore`
    throw new MoorageError('config-invalid', `${file}, ${(error as Error).message}`, { detail: { file } })
  }
  const relative = path.relative(folder, dockerfile).split(path.sep).join('/')
  const outside = relative.startsWith('../') || path.isAbsolute(relative)
  const dockerfileName = outside ? OUTSIDE : relative
  // The builder must see these two whatever the rules say; it leaves them out of COPY by itself where they are ignored.
  const always = new Set(
    outside ? [] : [dockerfileName, ...(specific === undefined && general !== undefined ? ['.dockerignore'] : [])],
  )
  const extra = new Map<string, string>()
  if (outside) {
    extra.set(OUTSIDE, dockerfileText)
    extra.set('.dockerignore', `${specific ?? general ?? ''}\n.dockerignore\n${OUTSIDE}\n`)
  }
  const entries: Entry[] = []
  const looked: string[] = []
  await walk(folder, '', { rules, always, entries, looked }).catch((error) => {
    throw new MoorageError(
      'config-invalid',
      `The build context ${folder} cannot be read: ${(error as Error).message}`,
      { detail: { folder }, cause: error },
    )
  })
  entries.sort((a, b) => (a.name < b.name ? -1 : 1))
  return {
    folder,
    entries: entries.filter((entry) => !extra.has(entry.name)),
    dockerfileText,
    dockerfileName,
    extra,
    hidden: outside ? new Set(extra.keys()) : new Set([...always].filter((name) => rules.ignores(name))),
    looked,
  }
}

interface Walk {
  readonly rules: IgnoreRules
  /** Taken whatever the rules say. */
  readonly always: ReadonlySet<string>
  readonly entries: Entry[]
  readonly looked: string[]
}

/** Resolves to whether anything was taken. A folder that is left out is taken when something in it is. */
async function walk(root: string, folder: string, into: Walk): Promise<boolean> {
  const { rules, always } = into
  let taken = false
  into.looked.push(folder)
  for (const child of await readdir(path.join(root, folder), { withFileTypes: true })) {
    const name = folder === '' ? child.name : `${folder}/${child.name}`
    const type = child.isDirectory() ? 'folder' : child.isSymbolicLink() ? 'link' : child.isFile() ? 'file' : undefined
    if (type === undefined || child.name === STATE) continue
    const ignored = rules.ignores(name) && !always.has(name)
    if (type === 'folder') {
      const open = !ignored || rules.mayHoldExceptions(name) || [...always].some((one) => one.startsWith(`${name}/`))
      if (open && ((await walk(root, name, into)) || !ignored)) taken = push(root, name, type, into.entries) || taken
    } else if (!ignored) taken = push(root, name, type, into.entries) || taken
  }
  return taken
}

function push(root: string, name: string, type: Entry['type'], into: Entry[]): boolean {
  // Synchronous on purpose: it takes microseconds, and 5,000 asynchronous ones ten times as long.
  const stats = lstatSync(path.join(root, name), { throwIfNoEntry: false })
  if (!stats) return false
  // Windows has no permission bits; as the docker command, everything may be executed there.
  const mode = process.platform === 'win32' ? 0o755 : stats.mode & 0o7777
  into.push({ name, type, mode, stats })
  return true
}

/** A SHA-256 (hex) over names, kinds, modes and contents, and over what else the caller says makes the image another. */
export async function contextDigest(
  context: Context,
  cache: HashCache,
  more: readonly string[],
  signal?: AbortSignal,
): Promise<string> {
  const all = createHash('sha256')
  for (const text of more) all.update(`${text.length} ${text}\n`)
  all.update(`${context.dockerfileName}\n`)
  for (const [name, body] of context.extra) all.update(`${name} ${createHash('sha256').update(body).digest('hex')}\n`)
  for (const entry of context.entries) {
    const file = path.join(context.folder, entry.name)
    const content =
      entry.type === 'file'
        ? (cache.get(file, entry.stats) ?? (await hashFile(file, entry.stats, cache, signal)))
        : entry.type === 'link'
          ? await readlink(file)
          : ''
    all.update(`${entry.type} ${entry.mode.toString(8)} ${entry.name}\0${content}\n`)
  }
  return all.digest('hex')
}

async function hashFile(
  file: string,
  stats: Stats,
  cache: HashCache,
  signal: AbortSignal | undefined,
): Promise<string> {
  signal?.throwIfAborted()
  const hash = createHash('sha256')
  if (stats.size <= STREAM_BYTES) hash.update(await readFile(file))
  else await pipeline(createReadStream(file), hash, signal ? { signal } : {})
  const value = hash.digest('hex')
  cache.set(file, stats, value)
  return value
}

async function text(file: string): Promise<string | undefined> {
  return readFile(file, 'utf8').catch(() => undefined)
}
