#!/usr/bin/env node
import { readFileSync } from 'node:fs'
// Builds dist/: every main.ts is a process, a thread or an isolate, and becomes one bundle. `--watch` builds again on each
// change. A bundle that fails does not keep the others from being built; the exit code is then 1.
import { access, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import process from 'node:process'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build, context } from 'esbuild'

export const root = dirname(fileURLToPath(import.meta.url))

const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

/** Bundled CommonJS packages call `require` for what Node has built in; an ES module has none of its own. */
const REQUIRE = `import { createRequire as moorageRequire } from 'node:module'\nconst require = moorageRequire(import.meta.url)`

/** @type {import('esbuild').BuildOptions} */
const node = { platform: 'node', format: 'esm', target: 'node20.19', banner: { js: REQUIRE } }

/**
 * A bundle: esbuild's options, and of ours `entry` where it is not main.ts, and `apart`: what is another bundle, loaded when it is
 * imported.
 * @typedef {import('esbuild').BuildOptions & { entry?: string, executable?: boolean, apart?: { filter: RegExp, file: string }[] }} Place
 */

/**
 * What a folder with a main.ts is built as. A folder that has none yet is passed over.
 * @type {Record<string, Place>}
 */
const PLACES = {
  'runtime/cli': {
    ...node,
    outfile: 'dist/cli.js',
    banner: { js: `#!/usr/bin/env node\n${REQUIRE}` },
    define: { MOORAGE_VERSION: JSON.stringify(version) },
    executable: true,
  },
  'runtime/relay': { ...node, outfile: 'dist/relay.js' },
  // The project's own wrangler is imported at run time, by a path that only then is known.
  'runtime/wrangler': { ...node, outfile: 'dist/wrangler.js', target: 'node22.12', external: ['wrangler'] },
  // wrangler bundles it once more, together with the developer's Worker: names stay, so that its stack traces can be read.
  'runtime/worker': {
    platform: 'neutral',
    format: 'esm',
    target: 'es2022',
    outfile: 'dist/worker.js',
    external: ['cloudflare:*', 'node:*'],
    conditions: ['workerd', 'worker'],
    mainFields: ['module', 'main'],
  },
  // The front door, for the extension: it loads this when a session starts.
  runtime: { ...node, entry: 'index.ts', outfile: 'dist/runtime.js', target: 'node22.15' },
  // TypeScript's parser, in a thread of its own.
  'extension/code/parser': {
    platform: 'node',
    format: 'cjs',
    target: 'node22.15',
    outfile: 'dist/parser.cjs',
    minify: true,
  },
  'webview/why': {
    platform: 'browser',
    format: 'iife',
    target: 'chrome134',
    outfile: 'dist/webview/why.js',
    minify: true,
  },
  extension: {
    platform: 'node',
    format: 'cjs',
    target: 'node22.15',
    outfile: 'dist/extension.cjs',
    external: ['vscode'],
    minify: true,
    apart: [{ filter: /\/runtime\/index\.ts$/, file: './runtime.js' }],
  },
}

/**
 * What must not get into a bundle, by whom it is asked for, and why.
 * @type {{ from: RegExp, filter: RegExp, contents: string }[]}
 */
const STUBS = [
  {
    // ssh is a program, the user's own; ssh2 would bring native modules. debug would print what goes to the engine, with its passwords,
    // where somebody sets DEBUG for something else.
    from: /[\\/]docker-modem[\\/]/,
    filter: /^(ssh2|debug)$/,
    contents: 'module.exports = () => () => {}',
  },
  {
    // Node's own streams, once more.
    from: /[\\/]docker-modem[\\/]/,
    filter: /^readable-stream$/,
    contents: `module.exports = require('node:stream')`,
  },
  {
    // Only dockerode's modem is used: not its containers and images, its build contexts, nor its BuildKit sessions with all of gRPC.
    from: /[\\/]dockerode[\\/]/,
    filter: /^\.\//,
    contents: `module.exports = () => { throw new Error('This part of dockerode is not bundled.') }`,
  },
  {
    // zod's messages in fifty languages; it takes the English ones by their own path.
    from: /[\\/]zod[\\/]/,
    filter: /\/locales\/index\.js$/,
    contents: 'export {}',
  },
]

/** @type {import('esbuild').Plugin} */
const stubs = {
  name: 'stubs',
  setup(build) {
    for (const [index, { from, filter, contents }] of STUBS.entries()) {
      const namespace = `stub${index}`
      build.onResolve({ filter }, ({ path, importer }) => (from.test(importer) ? { path, namespace } : undefined))
      build.onLoad({ filter: /.*/, namespace }, () => ({ contents, loader: 'js' }))
    }
  },
}

/**
 * Leaves out what is a bundle of its own.
 * @param {{ filter: RegExp, file: string }[]} apart
 * @returns {import('esbuild').Plugin}
 */
const others = (apart) => ({
  name: 'others',
  setup(build) {
    for (const { filter, file } of apart) {
      build.onResolve({ filter }, ({ kind }) =>
        kind === 'dynamic-import' ? { path: file, external: true } : undefined,
      )
    }
  },
})

/**
 * The bundles that can be built now, as esbuild options.
 * @returns {Promise<(import('esbuild').BuildOptions & { outfile: string, executable: boolean })[]>}
 */
export async function bundles() {
  const found = []
  for (const [folder, place] of Object.entries(PLACES)) {
    const { executable = false, entry: file = 'main.ts', apart = [], ...options } = place
    const entry = join(root, folder, file)
    if (!(await exists(entry))) continue
    found.push({
      bundle: true,
      sourcemap: true,
      // Paths of sources in the maps are relative to dist/, so the same tree gives the same bytes anywhere.
      sourcesContent: false,
      metafile: true,
      legalComments: /** @type {const} */ ('none'),
      logLevel: /** @type {const} */ ('silent'),
      absWorkingDir: root,
      entryPoints: [entry],
      plugins: [stubs, others(apart)],
      outfile: '',
      executable,
      ...options,
    })
  }
  return found
}

/** A main.ts in a place that this file does not name would be built by nobody: say so. */
async function unknownPlaces() {
  const unknown = []
  for (const top of ['runtime', 'extension', 'webview']) {
    for (const file of await readdir(join(root, top), { recursive: true }).catch(() => [])) {
      const path = join(top, file).replaceAll('\\', '/')
      if (/(^|\/)main\.tsx?$/.test(path) && !(dirname(path) in PLACES)) unknown.push(path)
    }
  }
  return unknown
}

/** The native program is built by hand (runtime/native/) and lies in the repository; here it is only copied. */
async function copyNative() {
  const from = join(root, 'runtime/native/bin')
  for (const name of await readdir(from).catch(() => [])) {
    await replace(join(root, 'dist/native', name), await readFile(join(from, name)), 0o755)
  }
}

/** @param {string} path */
async function exists(path) {
  return access(path).then(
    () => true,
    () => false,
  )
}

async function buildAll() {
  const problems = (await unknownPlaces()).map(
    (path) => `${path}: no entry in PLACES of build.mjs says what it is built as.`,
  )
  const wanted = await bundles()
  const built = await Promise.allSettled(wanted.map(buildOne))
  for (const result of built) if (result.status === 'rejected') problems.push(String(result.reason.message))
  await copyNative()
  await removeOthers(wanted.map((bundle) => basename(bundle.outfile)))
  for (const problem of problems) process.stderr.write(`${problem}\n`)
  return problems.length === 0
}

/**
 * What an older build has left in dist/ would be packed into the extension.
 * @param {string[]} bundles
 */
async function removeOthers(bundles) {
  const ours = new Set(['native', 'webview', ...bundles.flatMap((name) => [name, `${name}.map`])])
  for (const name of await readdir(join(root, 'dist')).catch(() => [])) {
    // Another build, at work at this moment, has files that end with a number.
    const isHalf = /\.\d+$/.test(name)
    if (!ours.has(name) && !isHalf) await rm(join(root, 'dist', name), { recursive: true })
  }
}

/** @param {import('esbuild').BuildOptions & { outfile: string, executable: boolean }} bundle */
async function buildOne({ executable, ...options }) {
  const { outputFiles } = await build({ ...options, write: false })
  for (const { path, contents } of outputFiles) await replace(path, contents, executable ? 0o755 : 0o644)
  const bytes = outputFiles.find(({ path }) => path.endsWith(options.outfile))?.contents.length ?? 0
  process.stdout.write(`${options.outfile}  ${Math.round(bytes / 1000)} kB\n`)
}

/**
 * Writes a file in one step, and only if it becomes another: a session that runs from dist/ looks at these files, and starts its
 * Worker anew when one changes.
 * @param {string} path @param {Uint8Array} contents @param {number} mode
 */
async function replace(path, contents, mode) {
  const there = await readFile(path).catch(() => undefined)
  if (there?.equals(contents)) return
  await mkdir(dirname(path), { recursive: true })
  const half = `${path}.${process.pid}`
  await writeFile(half, contents, { mode })
  await rename(half, path)
}

async function watchAll() {
  await copyNative()
  for (const { executable: _, ...options } of await bundles())
    await (await context({ ...options, logLevel: 'info' })).watch()
}

if (
  process.argv[1] &&
  import.meta.url === pathToFileURL(createRequire(import.meta.url).resolve(process.argv[1])).href
) {
  if (process.argv.includes('--watch')) await watchAll()
  else process.exitCode = (await buildAll()) ? 0 : 1
}
