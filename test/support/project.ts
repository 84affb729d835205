/** Copies of projects for tests: what a test changes there changes nothing here. */
import { cp, mkdtemp, realpath, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { root } from './root.mjs'

export interface Project extends AsyncDisposable {
  /** Absolute, and without links. */
  readonly folder: string
}

/**
 * Copies a project into a folder of its own, with our node_modules in the place of its own.
 * @param source path from the root, like `examples/quotes`
 */
export async function copyProject(source: string): Promise<Project> {
  const parent = await realpath(await mkdtemp(join(tmpdir(), 'moorage-project-')))
  const folder = join(parent, basename(source))
  const own = (path: string) => !/[\\/](node_modules|\.wrangler)$/.test(path)
  await cp(join(root, source), folder, { recursive: true, filter: own })
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'), 'junction')
  return { folder, [Symbol.asyncDispose]: () => rm(parent, { recursive: true, force: true, maxRetries: 5 }) }
}

/** Copies one of examples/. */
export function copyExample(name: string): Promise<Project> {
  return copyProject(join('examples', name))
}
