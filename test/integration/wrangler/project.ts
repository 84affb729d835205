/** Projects in a temporary folder, bundles of the two processes, and a child on them. */
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = join(dirname(fileURLToPath(import.meta.url)), '../../..')

/** A folder that is gone after use. */
export interface Folder extends AsyncDisposable {
  readonly path: string
  write(files: Readonly<Record<string, string>>): Promise<void>
}

/** A project with this repository's wrangler and @cloudflare/containers. */
export async function openProject(
  files: Readonly<Record<string, string>>,
  options: { withPackages?: boolean } = {},
): Promise<Folder> {
  const path = await mkdtemp(join(tmpdir(), 'moorage-project-'))
  const write = async (some: Readonly<Record<string, string>>) => {
    for (const [name, text] of Object.entries(some)) {
      await mkdir(dirname(join(path, name)), { recursive: true })
      await writeFile(join(path, name), text)
    }
  }
  await write(files)
  if (options.withPackages ?? true) await symlink(join(root, 'node_modules'), join(path, 'node_modules'))
  return { path, write, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

let bundles: Promise<string> | undefined

/** Bundles worker/main.ts and wrangler/main.ts, once in a test process; returns the folder. */
export function bundle(): Promise<string> {
  bundles ??= (async () => {
    const outdir = join(root, '.cache/test/wrangler', String(process.pid))
    const require = `import { createRequire as moorageRequire } from 'node:module'\nconst require = moorageRequire(import.meta.url)`
    await Promise.all([
      build({
        entryPoints: [join(root, 'runtime/worker/main.ts')],
        bundle: true,
        format: 'esm',
        target: 'es2022',
        outfile: join(outdir, 'worker.js'),
        external: ['cloudflare:*'],
      }),
      build({
        entryPoints: [join(root, 'runtime/wrangler/main.ts')],
        bundle: true,
        platform: 'node',
        format: 'esm',
        target: 'node22.12',
        banner: { js: require },
        outfile: join(outdir, 'wrangler.js'),
        external: ['wrangler', 'cpu-features', '*.node'],
      }),
    ])
    process.once('exit', () => void rm(outdir, { recursive: true, force: true }))
    return outdir
  })()
  return bundles
}

/** The text of a file of this repository's fixtures. */
export function fixture(name: string): Promise<string> {
  return readFile(join(root, 'test/fixtures', name), 'utf8')
}
