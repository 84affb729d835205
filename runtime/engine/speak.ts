/** Which version of the engine's API to speak. */

/** The version that Moorage is written and tested against (Docker 20.10). */
export const API_VERSION = '1.41'

/** API_VERSION where the engine speaks it, else the nearest that it does: never newer than it knows, never older than it still takes. */
export function speakVersion(engine: string, engineMinimum: string, ours = API_VERSION): string {
  if (compare(ours, engine) > 0) return engine
  if (compare(ours, engineMinimum) < 0) return engineMinimum
  return ours
}

function compare(a: string, b: string): number {
  const [aMajor = 0, aMinor = 0] = a.split('.').map(Number)
  const [bMajor = 0, bMinor = 0] = b.split('.').map(Number)
  return aMajor - bMajor || aMinor - bMinor
}
