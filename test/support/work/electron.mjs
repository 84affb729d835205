// `npm run test:electron`: the suites of test/vscode that need no page, in a desktop VS Code.
import process from 'node:process'
import { root } from '../root.mjs'
import { prepare } from '../tools/all.mjs'
import { must } from '../tools/command.mjs'
import { desktopVSCode } from '../tools/electron.mjs'
import { ensureModules } from '../tools/npm.mjs'
import { say } from '../tools/say.mjs'
import { succeeds } from './demo.mjs'

/** What runs the suites; run with Node 24 from source. */
const ELECTRON = 'test/support/electron/electron.ts'

/**
 * @param {readonly string[]} _words
 * @param {AbortSignal} signal ends it early
 * @returns {Promise<boolean>} whether every suite went well
 */
export async function work(_words, signal) {
  await ensureModules(signal)
  const executable = await desktopVSCode(download)
  const prepared = await prepare(new Set(/** @type {const} */ (['engine', 'bases'])), signal)
  try {
    say('Building …')
    await must(process.execPath, ['build.mjs'], { cwd: root, signal })
    const env = { ...process.env, ...prepared.env, MOORAGE_TEST_DESKTOP: executable }
    return await succeeds(prepared.node, [ELECTRON], env, signal)
  } finally {
    await prepared.dispose()
  }
}

/** @param {string} cachePath */
async function download(cachePath) {
  // Needs node_modules.
  const { downloadAndUnzipVSCode } = await import('@vscode/test-electron')
  return downloadAndUnzipVSCode({ cachePath })
}
