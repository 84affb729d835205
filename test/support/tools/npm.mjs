// npm, and what it installs: the project's node_modules, and packages that are tools, in the cache.
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { root } from '../root.mjs'
import { must } from './command.mjs'
import { say } from './say.mjs'

/**
 * Runs npm, the one that runs us where there is one.
 * @param {readonly string[]} args @param {import('./command.mjs').RunOptions} [options]
 */
export function npm(args, options) {
  const ours = process.env.npm_execpath
  if (ours?.endsWith('.js')) return must(process.execPath, [ours, ...args], options)
  return must(process.platform === 'win32' ? 'npm.cmd' : 'npm', args, options)
}

/** Makes node_modules what package-lock.json says. @param {AbortSignal} signal */
export async function ensureModules(signal) {
  const [lock, installed] = await Promise.all(
    ['package-lock.json', 'node_modules/.package-lock.json'].map((file) =>
      readFile(join(root, file), 'utf8').then(JSON.parse, () => undefined),
    ),
  )
  if (!isStale(lock, installed)) return
  say(`${installed === undefined ? 'Installing' : 'Bringing up to date'} node_modules (npm ci) …`)
  await npm(['ci', '--no-audit', '--no-fund'], { cwd: root, signal })
}

/**
 * Whether what npm noted in node_modules differs from the lock. Packages for other platforms are not there, and need not be.
 * @param {Lock | undefined} lock @param {Lock | undefined} installed
 * @typedef {{ packages: Record<string, { version?: string, optional?: boolean, link?: boolean }> }} Lock
 */
export function isStale(lock, installed) {
  if (lock === undefined) return installed === undefined
  if (installed === undefined) return true
  return Object.entries(lock.packages).some(([path, { version, optional }]) => {
    if (path === '') return false
    const there = installed.packages[path]
    return there === undefined ? optional !== true : there.version !== version
  })
}

/**
 * Puts a package into a folder of its own below `folder` and resolves with the package's folder. What is there already is
 * taken as it is. Put in place by one rename, so that a broken installation is never taken for a whole one.
 * @param {object} options
 * @param {string} options.folder absolute
 * @param {string} options.name of the package
 * @param {string} options.range its version
 * @param {string} options.saying what is said when it has to be fetched
 * @param {readonly string[]} [options.flags] for npm
 * @param {(packageFolder: string) => Promise<void>} [options.finish] done before the rename
 * @param {AbortSignal} options.signal
 */
export async function ensurePackage({ folder, name, range, saying, flags = [], finish, signal }) {
  const path = join('node_modules', name)
  if (existsSync(join(folder, path))) return join(folder, path)
  say(saying)
  const half = `${folder}.${process.pid}`
  await rm(half, { recursive: true, force: true })
  try {
    await mkdir(half, { recursive: true })
    // A package.json of its own keeps npm from looking for one further up.
    await writeFile(join(half, 'package.json'), '{ "private": true }\n')
    const install = ['install', '--no-audit', '--no-fund', '--ignore-scripts', ...flags, `${name}@${range}`]
    await npm(install, { cwd: half, signal })
    await finish?.(join(half, path))
    await mkdir(dirname(folder), { recursive: true })
    await rename(half, folder).catch((error) => {
      // Someone else was quicker.
      if (!existsSync(join(folder, path))) throw error
    })
  } finally {
    await rm(half, { recursive: true, force: true })
  }
  return join(folder, path)
}
