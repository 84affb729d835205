// `npm run demo`: sets up what examples/quotes needs, builds, and runs it while telling what happens.
import { spawn } from 'node:child_process'
import process from 'node:process'
import { root } from '../root.mjs'
import { prepare } from '../tools/all.mjs'
import { must } from '../tools/command.mjs'
import { say } from '../tools/say.mjs'

/** What tells the demo; run with Node 24 from source. */
const DEMO = 'test/support/demo/demo.ts'

/**
 * @param {readonly string[]} _words
 * @param {AbortSignal} signal ends it early
 * @returns {Promise<boolean>} whether all that it promises really happened
 */
export async function work(_words, signal) {
  const prepared = await prepare(new Set(/** @type {const} */ (['engine', 'bases'])), signal)
  try {
    say('Building …')
    await must(process.execPath, ['build.mjs'], { cwd: root, signal })
    return await succeeds(prepared.node, [DEMO], { ...process.env, ...prepared.env }, signal)
  } finally {
    await prepared.dispose()
  }
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
