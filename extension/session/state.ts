/** What the window is at, from its folders. */
import type { StateKey } from '../contributes/keys.ts'
import { isMoorageError } from '../errors.ts'
import type { Folder } from './folder.ts'

/** Of several folders the one with most to show. */
const RANK: readonly StateKey[] = [
  'running',
  'starting',
  'no-engine',
  'not-installed',
  'old-wrangler',
  'failed',
  'stopped',
  'no-containers',
  'none',
]

/** The state of the window's folders. */
export function stateOf(folders: readonly Pick<Folder, 'state' | 'configs'>[]): StateKey {
  const states = folders.map(stateOfFolder)
  return RANK.find((state) => states.includes(state)) ?? 'none'
}

function stateOfFolder({ state, configs }: Pick<Folder, 'state' | 'configs'>): StateKey {
  if (state.state === 'starting' || state.state === 'running') return state.state
  if (state.state === 'stopped') return configs.length === 0 ? 'none' : 'stopped'
  switch (isMoorageError(state.error) ? state.error.code : undefined) {
    case 'no-engine':
      return 'no-engine'
    case 'no-wrangler':
      return 'not-installed'
    case 'wrangler-too-old':
      return 'old-wrangler'
    case 'no-containers':
      return 'no-containers'
    default:
      return 'failed'
  }
}
