// Where tools lie that are fetched once and outlive a checkout.
import { homedir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'

/**
 * The folder of Moorage in the user's cache folder; not made here.
 * @param {{ platform?: NodeJS.Platform, env?: NodeJS.ProcessEnv, home?: string }} [where]
 */
export function cacheFolder({ platform = process.platform, env = process.env, home = homedir() } = {}) {
  if (env.XDG_CACHE_HOME) return join(env.XDG_CACHE_HOME, 'moorage')
  if (platform === 'darwin') return join(home, 'Library', 'Caches', 'moorage')
  if (platform === 'win32') return join(env.LOCALAPPDATA ?? join(home, 'AppData', 'Local'), 'moorage', 'cache')
  return join(home, '.cache', 'moorage')
}
