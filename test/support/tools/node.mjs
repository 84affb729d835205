// Node 24: it runs the tests, which are TypeScript, and wrangler, which needs 22.12.
import { join } from 'node:path'
import process from 'node:process'
import { cacheFolder } from './cache.mjs'
import { ensurePackage } from './npm.mjs'

const MAJOR = 24

/**
 * The path of a Node 24 or newer: the one that runs us, or the official one from npm, kept in the cache.
 * @param {AbortSignal} signal
 */
export async function ensureNode(signal) {
  if (Number.parseInt(process.versions.node, 10) >= MAJOR) return process.execPath
  return nodeIn(await ensureNodePackage(signal))
}

/**
 * The folder of the npm package with Node 24, its headers included.
 * @param {AbortSignal} signal
 */
export function ensureNodePackage(signal) {
  const name = nodePackage(process.platform, process.arch)
  return ensurePackage({
    folder: join(cacheFolder(), `node-${MAJOR}`),
    name,
    range: String(MAJOR),
    saying: `Fetching Node ${MAJOR} (npm package ${name}); kept in ${cacheFolder()} …`,
    signal,
  })
}

/** The npm package that holds Node for a platform. @param {NodeJS.Platform} platform @param {string} arch */
export function nodePackage(platform, arch) {
  return `node-${platform === 'win32' ? 'win' : platform}-${arch}`
}

/** Node's path in that package. @param {string} packageFolder @param {NodeJS.Platform} [platform] */
export function nodeIn(packageFolder, platform = process.platform) {
  return join(packageFolder, 'bin', platform === 'win32' ? 'node.exe' : 'node')
}
