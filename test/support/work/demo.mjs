// `npm run demo`: sets up what examples/quotes needs, builds, and runs it while telling what happens. At the end it opens it in
// VS Code for who wants that: `--vscode` does not ask, `--no-vscode` neither.
import { spawn } from 'node:child_process'
import process from 'node:process'
import { ask, hasTerminal, offered } from '../demo/offer.mjs'
import { root } from '../root.mjs'
import { prepare } from '../tools/all.mjs'
import { must } from '../tools/command.mjs'
import { desktopCode } from '../tools/desktop.mjs'
import { ensurePackages, FOR_VSCODE } from '../tools/packages.mjs'
import { say } from '../tools/say.mjs'
import { ensureVSCode } from '../tools/vscode.mjs'

/** What tells the demo, and what opens it in VS Code; run with Node 24 from source. */
const DEMO = 'test/support/demo/demo.ts'
const VSCODE = 'test/support/demo/vscode.ts'

/**
 * @param {readonly string[]} words
 * @param {AbortSignal} signal ends it early
 * @returns {Promise<boolean>} whether all that it promises really happened
 */
export async function work(words, signal) {
  const offer = offered(words, hasTerminal())
  const prepared = await prepare(new Set(/** @type {const} */ (['engine', 'bases'])), signal)
  try {
    say('Building …')
    await must(process.execPath, ['build.mjs'], { cwd: root, signal })
    const env = { ...process.env, ...prepared.env }
    if (!(await succeeds(prepared.node, [DEMO], env, signal))) return false
    if (offer === 'leave' || (offer === 'ask' && !(await ask(signal)))) return true
    return await succeeds(prepared.node, [VSCODE], { ...env, ...(await vscode(signal)) }, signal)
  } finally {
    await prepared.dispose()
  }
}

/** Which VS Code: the desktop's where its command is found, else the one that runs in a browser. @param {AbortSignal} signal */
async function vscode(signal) {
  const code = desktopCode()
  if (code !== undefined) return { MOORAGE_DEMO_CODE: code }
  await ensurePackages(FOR_VSCODE, signal)
  return { MOORAGE_TEST_VSCODE: await ensureVSCode(signal) }
}

/**
 * Runs a program in front of the person, and hands on our end to it.
 * @param {string} node @param {readonly string[]} args @param {NodeJS.ProcessEnv} env @param {AbortSignal} signal
 * @returns {Promise<boolean>} whether it ended with 0
 */
export function succeeds(node, args, env, signal) {
  return new Promise((resolve, reject) => {
    const child = spawn(node, args, { cwd: root, env, stdio: 'inherit' })
    const end = () => child.kill('SIGTERM')
    signal.addEventListener('abort', end)
    child.on('error', reject)
    child.on('exit', (code) => {
      signal.removeEventListener('abort', end)
      resolve(code === 0)
    })
  })
}
