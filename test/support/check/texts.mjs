// Texts that people read: extension/l10n/bundle.l10n.json has those of the code, no more and no less, for who translates them.
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { getL10nJson } from '@vscode/l10n-dev'
import { root } from '../root.mjs'

const BUNDLE = 'extension/l10n/bundle.l10n.json'

/** @returns {Promise<Record<string, unknown>>} texts by their keys, in order */
async function textsOfCode() {
  const files = await readdir(join(root, 'extension'), { recursive: true })
  const sources = files.filter((file) => file.endsWith('.ts'))
  const contents = await Promise.all(sources.map((file) => readFile(join(root, 'extension', file), 'utf8')))
  const found = await getL10nJson(contents.map((text) => ({ contents: text, extension: '.ts' })))
  return Object.fromEntries(Object.entries(found).sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** @returns {Promise<string[]>} one message where the bundle is another */
export async function textProblems() {
  const found = JSON.parse(await readFile(join(root, BUNDLE), 'utf8').catch(() => '{}'))
  return isDeepStrictEqual(found, await textsOfCode())
    ? []
    : [`${BUNDLE} has other texts than the code; run \`npm run manifest\`.`]
}

/** Writes the bundle anew. */
export async function writeTexts() {
  await writeFile(join(root, BUNDLE), `${JSON.stringify(await textsOfCode(), undefined, 2)}\n`)
}
