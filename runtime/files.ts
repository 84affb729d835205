import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder of Moorage's built files: where this module was bundled to, or `dist` of the checkout it is the source in. */
export function distFolder(): string {
  const here = fileURLToPath(import.meta.url)
  return here.endsWith('.ts') ? join(dirname(here), '..', 'dist') : dirname(here)
}
