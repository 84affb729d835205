// What the contract's tests speak to. They only speak HTTP, to MOORAGE_CONTRACT_URL where it is set (any implementation that
// serves test/contract/worker), otherwise to a session of ours on a fresh copy of that Worker.
import { join } from 'node:path'
import { after, before } from 'node:test'
import type { Session } from '../../../runtime/index.ts'
import { copyProject } from '../project.ts'
import { root } from '../root.mjs'

/** A session on copies of Workers of test/contract/. Dispose it. */
export interface Served extends AsyncDisposable {
  /** Base URLs, one a Worker, without a final slash. */
  readonly urls: readonly string[]
  /** The copies: tests may change files there. */
  readonly folders: readonly string[]
  readonly session: Session
}

/** Serves copies of the named folders of test/contract/ in one session: their storage is new, and goes with them. */
export async function serve(...names: string[]): Promise<Served> {
  await using undo = new AsyncDisposableStack()
  const projects = await Promise.all(names.map((name) => copyProject(join('test', 'contract', name))))
  for (const project of projects) undo.use(project)
  const base = process.env.MOORAGE_TEST_BASE
  // Only now: another implementation is tested without ours.
  const { startSession } = await import('../../../runtime/index.ts')
  const session = await startSession({
    config: projects.map(({ folder }) => join(folder, 'wrangler.jsonc')),
    dist: join(root, 'dist'),
    ...(base === undefined ? {} : { buildArgs: { BASE: base } }),
  })
  undo.defer(() => session.dispose())
  await imagesOf(session)
  const kept = undo.move()
  return {
    urls: session.urls.map((url) => url.replace(/\/$/, '')),
    folders: projects.map(({ folder }) => folder),
    session,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}

/** Waits until the images are there: no sentence is about how long that takes. */
async function imagesOf(session: Session): Promise<void> {
  for (;;) {
    const images = session.model.classes.map(({ image }) => image)
    const failed = images.find((image) => image.state === 'failed')
    if (failed?.state === 'failed') throw new Error(`An image could not be made: ${failed.message}`)
    // A class whose container has only named images gets them when they are first asked for.
    if (images.every(({ state }) => state === 'ready' || state === 'unknown')) return
    await new Promise((resolve) => setTimeout(resolve, 50))
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

let used = false

/** Starts the session before the first test of the file that calls this, and ends it after the last. */
export function useContract(): void {
  if (used) return
  used = true
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
