// `npm run package`: the extension as one file, moorage-<version>.vsix, checked for its size and for what must not be in it.
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { root } from '../root.mjs'
import { must } from '../tools/command.mjs'
import { ensureModules } from '../tools/npm.mjs'
import { say } from '../tools/say.mjs'

/** At most, in bytes. */
const LIMIT = 2_000_000

/**
 * @param {readonly string[]} _words
 * @param {AbortSignal} signal ends it early
 * @returns {Promise<boolean>} whether the file is within its bounds
 */
export async function work(_words, signal) {
  await ensureModules(signal)
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
  const file = join(root, `moorage-${version}.vsix`)
  await packed(file, signal)
  const { size } = await stat(file)
  say(`${file}: ${(size / 1e6).toFixed(2)} MB`)
  if (size <= LIMIT) return true
  say(`It may weigh ${LIMIT / 1e6} MB at most.`)
  return false
}

/**
 * Builds and packs it. No node_modules are in it: every bundle is whole.
 * @param {string} file @param {AbortSignal} [signal]
 */
export async function packed(file, signal) {
  const options = { cwd: root, ...(signal === undefined ? {} : { signal }) }
  await must(process.execPath, ['build.mjs'], options)
  const vsce = join(root, 'node_modules/@vscode/vsce/vsce')
  await must(
    process.execPath,
    [
      vsce,
      'package',
      '--no-dependencies',
      '--allow-missing-repository',
      '--skip-license',
      '--no-rewrite-relative-links',
      '--out',
      file,
    ],
    options,
  )
}
