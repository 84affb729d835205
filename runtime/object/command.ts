/** What a container's root process is started with: the image's own words, start()'s options, the platform's facts. */
import type { RunCommand } from '../protocol/relay.ts'
import type { StartOptions } from '../protocol/worker.ts'

/** The part of an image's config that says how to run it. */
export interface ImageCommand {
  readonly entrypoint: readonly string[]
  readonly cmd: readonly string[]
  /** NAME=value. */
  readonly env: readonly string[]
  readonly user: string
  readonly workingDir: string
}

/**
 * The command of PID 1: `entrypoint` replaces the image's CMD and keeps its ENTRYPOINT; the environment is the image's, then
 * start()'s, then the platform's, which cannot be overridden (semantics.md, Lifecycle).
 */
export function rootCommand(
  image: ImageCommand,
  options: StartOptions,
  object: { id: string; project: string },
): RunCommand {
  const env: Record<string, string> = {}
  for (const entry of image.env) {
    const at = entry.indexOf('=')
    if (at > 0) env[entry.slice(0, at)] = entry.slice(at + 1)
  }
  Object.assign(env, options.env, {
    CLOUDFLARE_APPLICATION_ID: `local-${object.project}`,
    CLOUDFLARE_DEPLOYMENT_ID: 'local',
    CLOUDFLARE_COUNTRY_A2: 'XX',
    CLOUDFLARE_LOCATION: 'local',
    CLOUDFLARE_REGION: 'LOCAL',
    CLOUDFLARE_DURABLE_OBJECT_ID: object.id,
  })
  return {
    argv: [...image.entrypoint, ...(options.entrypoint ?? image.cmd)],
    env,
    cwd: image.workingDir || '/',
    user: image.user,
  }
}
