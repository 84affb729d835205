// package.json has what extension/contributes.ts says, no more and no less. Run directly, this file writes it.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { pathToFileURL } from 'node:url'
import { isDeepStrictEqual } from 'node:util'
import { transform } from 'esbuild'
import { root } from '../root.mjs'

const TABLE = 'extension/contributes.ts'

/**
 * What the table says, by key of package.json. It is TypeScript that imports nothing, and Node 20 runs none: hence esbuild.
 * @returns {Promise<Record<string, unknown>>}
 */
async function manifestOfTable() {
  const { code } = await transform(await readFile(join(root, TABLE), 'utf8'), { loader: 'ts', format: 'esm' })
  const { manifest } = await import(`data:text/javascript,${encodeURIComponent(code)}`)
  return manifest
}

/** @returns {Promise<string[]>} one message for each key that differs */
export async function manifestProblems() {
  const wanted = await manifestOfTable()
  const found = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
  return Object.keys(wanted)
    .filter((key) => !isDeepStrictEqual(found[key], wanted[key]))
    .map((key) => `package.json: "${key}" is not what ${TABLE} says; run \`npm run manifest\`.`)
}

/** Writes package.json anew; what is not in the table stays as it is. */
async function writeManifest() {
  const file = join(root, 'package.json')
  const found = JSON.parse(await readFile(file, 'utf8'))
  await writeFile(file, `${JSON.stringify({ ...found, ...(await manifestOfTable()) }, undefined, 2)}\n`)
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) await writeManifest()
