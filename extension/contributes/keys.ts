/** Names that the manifest and the code share. Imports nothing. */

/** Context keys that the extension sets. */
export const contextKeys = {
  /** What this window has to show: one of `StateKey`. */
  state: 'moorage.state',
  /** Whether a filter of the Objects view is on. */
  filtered: 'moorage.filtered',
  /** Whether the window has seen an object; stays so. */
  seen: 'moorage.seen',
} as const

/**
 * What `contextKeys.state` may be, the worst of a window's folders first that has no session: `none` no config, `no-containers`
 * none in it, `not-installed` its dependencies are missing, `old-wrangler`, `no-engine`, `failed` for any other reason.
 */
export type StateKey =
  | 'none'
  | 'no-containers'
  | 'stopped'
  | 'starting'
  | 'running'
  | 'not-installed'
  | 'old-wrangler'
  | 'no-engine'
  | 'failed'

/** Views of the Moorage container in the activity bar. */
export const views = { objects: 'moorage.objects' } as const

/** Names that a project's config may have, the one that wrangler takes first in front. */
export const CONFIG_FILES = ['wrangler.json', 'wrangler.jsonc', 'wrangler.toml'] as const

/** Schemes of documents that only we can read. */
export const schemes = {
  /** A file of a container: `moorage-file:/<path>?<object key>`. */
  file: 'moorage-file',
} as const

export const TERMINAL_PROFILE = 'moorage.shell'
