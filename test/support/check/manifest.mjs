// package.json, package.nls.json and README's tables have what extension/contributes/ says, no more and no less. Run directly,
// this file writes them, and the bundle of the code's texts.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { pathToFileURL } from 'node:url'
import { isDeepStrictEqual } from 'node:util'
import { build } from 'esbuild'
import { root } from '../root.mjs'
import { commandsTable, settingsTable, withTable } from './tables.mjs'
import { writeTexts } from './texts.mjs'

const TABLE = 'extension/contributes'
const README = 'README.md'

/**
 * What the table says: package.json by its keys, and package.nls.json. It is TypeScript that imports only its parts, and Node 20
 * runs none: hence esbuild.
 * @returns {Promise<{ manifest: Record<string, unknown>, manifestTexts: Record<string, string> }>}
 */
async function fromTable() {
  const { outputFiles } = await build({
    entryPoints: [join(root, TABLE, 'index.ts')],
    bundle: true,
    write: false,
    format: 'esm',
    logLevel: 'silent',
  })
  return import(`data:text/javascript,${encodeURIComponent(outputFiles[0]?.text ?? '')}`)
}

/** @param {string} name */
async function json(name) {
  return JSON.parse(await readFile(join(root, name), 'utf8').catch(() => '{}'))
}

/** @returns {Promise<string[]>} one message for each key that differs */
export async function manifestProblems() {
  const { manifest, manifestTexts } = await fromTable()
  const found = await json('package.json')
  const problems = Object.keys(manifest)
    .filter((key) => !isDeepStrictEqual(found[key], JSON.parse(JSON.stringify(manifest[key]))))
    .map((key) => `package.json: "${key}" is not what ${TABLE} says; run \`npm run manifest\`.`)
  if (!isDeepStrictEqual(await json('package.nls.json'), { ...manifestTexts })) {
    problems.push(`package.nls.json is not what ${TABLE} says; run \`npm run manifest\`.`)
  }
  const readme = await readFile(join(root, README), 'utf8')
  if (readme !== readmeWith(readme, manifest, manifestTexts)) {
    problems.push(`${README}: its settings or commands are not what ${TABLE} says; run \`npm run manifest\`.`)
  }
  return problems
}

/** @param {string} readme @param {Record<string, unknown>} manifest @param {Record<string, string>} texts */
function readmeWith(readme, { contributes }, texts) {
  const all = /** @type {import('./tables.mjs').Contributes} */ (contributes)
  return withTable(withTable(readme, 'settings', settingsTable(all, texts)), 'commands', commandsTable(all, texts))
}

/** Writes all anew; what of package.json and README is not in the table stays as it is. */
async function writeManifest() {
  const { manifest, manifestTexts } = await fromTable()
  const write = (/** @type {string} */ name, /** @type {unknown} */ value) =>
    writeFile(join(root, name), `${JSON.stringify(value, undefined, 2)}\n`)
  await write('package.json', { ...(await json('package.json')), ...manifest })
  await write('package.nls.json', manifestTexts)
  const readme = await readFile(join(root, README), 'utf8')
  await writeFile(join(root, README), readmeWith(readme, manifest, manifestTexts))
  await writeTexts()
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) await writeManifest()
