/** The project's own wrangler: found from the config's folder, checked, loaded. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { MoorageError } from '../protocol/errors.ts'
import type { WranglerConfig } from './config.ts'
import type { Bundle } from './trace.ts'

/** The oldest version whose startWorker and workerd have all that is needed. */
export const OLDEST_WRANGLER = '4.40.0'

/** Where a project's wrangler is, and what its package.json says. */
export interface FoundWrangler {
  readonly folder: string
  readonly version: string
}

/** An event of wrangler's DevEnv that something is wrong. */
export interface WranglerProblem {
  readonly reason?: string
  readonly source?: string
  readonly cause?: unknown
  readonly message?: string
}

/** An event between the parts of wrangler's DevEnv. */
export interface PartEvent {
  readonly type: string
  /** Of a `bundleComplete`. */
  readonly bundle?: Bundle
}

/** wrangler's inside, as far as it is used. What has a question mark is not promised by any type of wrangler. */
export interface DevEnv extends NodeJS.EventEmitter {
  dispatch?(event: PartEvent): void
  readonly config?: NodeJS.EventEmitter
  readonly bundler?: NodeJS.EventEmitter
  readonly runtimes?: readonly NodeJS.EventEmitter[]
  readonly proxy?: { onReloadComplete?(event: unknown): void }
}

/** The running Worker, as far as it is used. */
export interface StartedWorker {
  readonly ready: Promise<void>
  readonly url: Promise<URL>
  readonly inspectorUrl: Promise<URL | undefined>
  readonly raw: DevEnv
  dispose(): Promise<void>
}

/** A config as it is written. */
export interface RawConfig {
  readonly containers?: WranglerConfig['containers']
  readonly env?: Readonly<Record<string, { readonly containers?: WranglerConfig['containers'] }>>
}

/** The part of the wrangler package that is used. */
export interface Wrangler {
  unstable_startWorker(input: Readonly<Record<string, unknown>>): Promise<StartedWorker>
  unstable_readConfig(args: { config: string; env?: string | undefined }): WranglerConfig
  /** The config as it is written, where this wrangler can read it so. */
  experimental_readRawConfig?(args: { config: string }): { readonly rawConfig: RawConfig }
}

/**
 * Finds the wrangler that the project depends on.
 * @throws MoorageError `no-wrangler` or `wrangler-too-old`.
 */
export function findWrangler(config: string): FoundWrangler {
  const manifest = resolveManifest(config)
  if (manifest === undefined) {
    throw new MoorageError('no-wrangler', `The project of ${config} has no wrangler.`, {
      advice: [`Run \`npm install --save-dev wrangler@latest\` in ${dirname(config)}.`],
    })
  }
  const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }
  if (!isAtLeast(version, OLDEST_WRANGLER)) {
    throw new MoorageError(
      'wrangler-too-old',
      `The project's wrangler is ${version}; Moorage needs ${OLDEST_WRANGLER} or newer.`,
      {
        advice: [`Run \`npm install --save-dev wrangler@latest\` in ${dirname(config)}.`],
        detail: { version, oldest: OLDEST_WRANGLER },
      },
    )
  }
  return { folder: dirname(manifest), version }
}

function resolveManifest(config: string): string | undefined {
  const require = createRequire(config)
  try {
    return require.resolve('wrangler/package.json')
  } catch {
    return undefined
  }
}

/** Loads it. Takes a second; begin early. */
export async function loadWrangler(found: FoundWrangler): Promise<Wrangler> {
  const { main = 'wrangler-dist/cli.js' } = JSON.parse(readFileSync(join(found.folder, 'package.json'), 'utf8')) as {
    main?: string
  }
  const module = (await import(pathToFileURL(join(found.folder, main)).href)) as Partial<Wrangler> & {
    default?: Wrangler
  }
  // It is CommonJS: where Node cannot tell the names of its exports, they are on the default export.
  return module.unstable_startWorker ? (module as Wrangler) : (module.default as Wrangler)
}

/** Compares the numbers of two versions; a prerelease counts as its release. */
export function isAtLeast(version: string, oldest: string): boolean {
  const parse = (text: string): number[] => (text.split(/[-+]/)[0] ?? '').split('.').map(Number)
  const [a, b] = [parse(version), parse(oldest)]
  for (let i = 0; i < 3; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0)
    if (difference !== 0) return difference > 0
  }
  return true
}
