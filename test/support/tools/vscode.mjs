// A real VS Code for tests: the server that code-server packs, started directly. It runs everywhere that npm reaches.
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { delimiter, dirname, join } from 'node:path'
import process from 'node:process'
import { cacheFolder } from './cache.mjs'
import { ensureNodePackage, nodeIn } from './node.mjs'
import { ensurePackage, npm } from './npm.mjs'

const VERSION = '4.139.1'

/** Native modules without which the server does not start; the others are for what tests do not use. */
const NATIVE = ['node-pty', '@vscode/spdlog', '@vscode/native-watchdog', '@parcel/watcher']

/**
 * The folder of a VS Code server that can be started with Node 24, kept in the cache.
 * @param {AbortSignal} signal
 */
export async function ensureVSCode(signal) {
  const folder = await ensurePackage({
    folder: join(cacheFolder(), `vscode-${VERSION}`),
    name: 'code-server',
    range: VERSION,
    flags: ['--force'],
    saying: `Fetching a VS Code server (npm package code-server ${VERSION}, 580 MB, about a minute); kept in ${cacheFolder()} …`,
    finish: (packageFolder) => finish(join(packageFolder, 'lib/vscode'), signal),
    signal,
  })
  return join(folder, 'lib/vscode')
}

/** Its own packages, and the native ones built against the Node that runs it. @param {string} cwd @param {AbortSignal} signal */
async function finish(cwd, signal) {
  const nodePackage = await ensureNodePackage(signal)
  const path = [dirname(nodeIn(nodePackage)), process.env.PATH].join(delimiter)
  const env = { ...process.env, PATH: path, npm_config_nodedir: nodePackage }
  const options = { cwd, env, signal }
  await npm(['install', '--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund'], options)
  await npm(['rebuild', ...NATIVE], options)
  if (!existsSync(join(cwd, 'out/server-main.js'))) throw new Error(`There is no out/server-main.js in ${cwd}.`)
  await writeFile(join(cwd, 'moorage-finished'), VERSION)
}
