// Everything that has to be there before tests or the demo can run, in the order in which one needs the other.
import process from 'node:process'
import { ensureEngine } from './engine.mjs'
import { ensureBases } from './images.mjs'
import { ensureNode } from './node.mjs'
import { ensureModules } from './npm.mjs'
import { ensurePackages, FOR_SESSIONS, FOR_TESTS } from './packages.mjs'
import { ensureVSCode } from './vscode.mjs'

/**
 * @typedef {object} Prepared
 * @property {string} node path of a Node 24
 * @property {Record<string, string>} env what tests and demo are told through their environment
 * @property {() => Promise<void>} dispose stops what was started here
 */

/**
 * Sets up what is needed, skipping what is there. Aborted or failed, it stops what it had started.
 * @param {ReadonlySet<import('../runner/layers.mjs').Need>} needs besides node_modules and Node 24
 * @param {AbortSignal} signal
 * @returns {Promise<Prepared>}
 */
export async function prepare(needs, signal) {
  await ensureModules(signal)
  const node = await ensureNode(signal)
  /** @type {Record<string, string>} */
  const env = {
    // The wrangler child needs a newer Node than the machine may have.
    MOORAGE_NODE: node,
    // The Node that people run the command line with: tests of it use this one.
    MOORAGE_TEST_NODE: process.execPath,
  }
  if (needs.has('packages')) await ensurePackages(FOR_TESTS, signal)
  if (needs.has('engine')) await ensurePackages(FOR_SESSIONS, signal)
  if (needs.has('vscode')) env.MOORAGE_TEST_VSCODE = await ensureVSCode(signal)
  const engine = needs.has('engine') ? await ensureEngine(signal) : undefined
  try {
    if (needs.has('bases')) Object.assign(env, await ensureBases(node, signal))
  } catch (error) {
    await engine?.stop()
    throw error
  }
  return { node, env, dispose: async () => engine?.stop() }
}
