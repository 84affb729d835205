// What the contract's tests speak to. They only speak HTTP, to MOORAGE_CONTRACT_URL where it is set (any implementation that
// serves test/contract/worker), otherwise to a session of ours on a fresh copy of that Worker.
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { after, before } from 'node:test'
import type { Session } from '../../../runtime/index.ts'
import { root } from '../root.mjs'

/** A session on copies of Workers of test/contract/, with a way to each. Dispose it. */
export interface Served extends AsyncDisposable {
  /** Base URLs, one a Worker, without a final slash. */
  readonly urls: readonly string[]
  /** The copies: tests may change files there. */
  readonly folders: readonly string[]
  readonly session: Session
}

/**
 * Serves copies of the named folders of test/contract/: their storage is new and what a test changes in them is gone afterwards.
 * They lie inside the repository, so that its packages are found.
 */
export async function serve(...names: string[]): Promise<Served> {
  const cache = join(root, '.cache', 'contract')
  await mkdir(cache, { recursive: true })
  const copy = await mkdtemp(join(cache, 'run-'))
  try {
    const folders = names.map((name) => join(copy, name))
    for (const [i, name] of names.entries()) {
      // A tsconfig that extends another would not find it from there; the bundle does not need it.
      const filter = (path: string) => !['tsconfig.json', '.wrangler'].includes(basename(path))
      await cp(join(root, 'test', 'contract', name), folders[i]!, { recursive: true, filter })
    }
    const base = process.env.MOORAGE_BASE
    // Only now: another implementation is tested without ours.
    const { startSession } = await import('../../../runtime/index.ts')
    const session = await startSession({
      config: folders.map((folder) => join(folder, 'wrangler.jsonc')),
      port: 0,
      inspectorPort: 0,
      dist: join(root, 'dist'),
      ...(base ? { buildArgs: { BASE: base } } : {}),
    })
    return {
      urls: session.urls.map((url) => url.replace(/\/$/, '')),
      folders,
      session,
      async [Symbol.asyncDispose]() {
        await session.dispose()
        await rm(copy, { recursive: true, force: true })
      },
    }
  } catch (error) {
    await rm(copy, { recursive: true, force: true })
    throw error
  }
}

let served: Promise<Served> | undefined

/** The base URL of test/contract/worker; its session is started once a process and ends with the process's tests. */
export async function contractUrl(): Promise<string> {
  const elsewhere = process.env.MOORAGE_CONTRACT_URL
  if (elsewhere) return elsewhere.replace(/\/$/, '')
  served ??= serve('worker')
  return (await served).urls[0]!
}

/** Starts the session before the first test of the file that calls this, and ends it after the last. */
export function useContract(): void {
  before(
    async () => {
      await contractUrl()
    },
    { timeout: 180_000 },
  )
  after(async () => {
    const ending = served
    served = undefined
    await (await ending)?.[Symbol.asyncDispose]()
  })
}
