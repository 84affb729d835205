/** What wrangler's DevEnv says to itself, which is not all told outside, and not by every version alike. */
import type { DevEnv, PartEvent } from './found.ts'
import type { Bundle } from './trace.ts'

/**
 * Hears what the parts of a DevEnv tell each other: `bundleStart`, `bundleComplete`, `configUpdate`. After this call `reloadComplete` is also
 * emitted by the DevEnv itself where the version is one that leaves it to its parts (4.40).
 */
export function hearParts(raw: DevEnv, onEvent: (event: PartEvent) => void): void {
  const dispatch = raw.dispatch?.bind(raw)
  if (dispatch) {
    raw.dispatch = (event) => {
      onEvent(event)
      dispatch(event)
    }
    return
  }
  raw.bundler?.on('bundleStart', () => onEvent({ type: 'bundleStart' }))
  raw.bundler?.on('bundleComplete', (event: { bundle: Bundle }) => onEvent({ ...event, type: 'bundleComplete' }))
  raw.config?.on('configUpdate', () => onEvent({ type: 'configUpdate' }))
  for (const runtime of raw.runtimes ?? []) runtime.on('reloadComplete', (event) => raw.emit('reloadComplete', event))
}
