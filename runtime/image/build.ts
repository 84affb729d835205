/** Builds an image through the engine and says what failed, and where. */
import type { Engine } from '../engine/engine.ts'
import type { BuildQuery } from '../engine/images.ts'
import { MoorageError } from '../protocol/errors.ts'
import type { Context } from './context.ts'
import { type Dockerfile, hasUnusedStages, needsBuildkit, parseDockerfile } from './dockerfile.ts'
import { buildError } from './failure.ts'
import { BuildLog, type ImageProgress } from './progress.ts'
import { contextTar } from './tar.ts'
import { readTrace, TraceReader } from './trace.ts'

export interface BuildOptions {
  /** The Dockerfile's path, for people. */
  readonly file: string
  readonly reference: string
  readonly args: Readonly<Record<string, string>>
  readonly labels: Readonly<Record<string, string>>
  readonly target?: string | undefined
  readonly platform?: string | undefined
  readonly registries?: string | undefined
  readonly signal?: AbortSignal | undefined
  onProgress(progress: ImageProgress): void
  onOutput(line: string): void
}

/**
 * Builds a context and tags the image. Rejects with 'build-failed' (detail: file, line, instruction, exitCode, lastOutput), 'disk-full' or
 * 'engine-lost'. What an aborted build made stays in the engine's cache.
 */
export async function build(engine: Engine, context: Context, options: BuildOptions): Promise<void> {
  const file = parseDockerfile(context.dockerfileText)
  if (!file.instructions.some((one) => one.name === 'FROM')) {
    // Docker 20.10 drops the connection over it.
    throw new MoorageError('build-failed', `${options.file} has no FROM, so there is nothing to build on.`, {
      detail: { file: options.file, line: file.instructions[0]?.line, lastOutput: [] },
    })
  }
  const log = new BuildLog(file, options)
  const trace = new TraceReader(log, file, options.args)
  const version = builderFor(file, context, options)
  const query: BuildQuery = {
    version,
    dockerfile: context.dockerfileName,
    t: options.reference,
    buildargs: options.args,
    labels: options.labels,
    target: options.target,
    platform: options.platform,
  }
  // BuildKit takes the context as it is sent, so what is hidden must not be; but the Dockerfile must.
  const unseen = version === '2' ? [...context.hidden].filter((name) => name !== context.dockerfileName) : []
  const tar = contextTar(context, new Set(unseen))
  // The context's own trouble (a file that vanished or may not be read) is the reason; the connection's end is only its consequence.
  let unreadable: Error | undefined
  tar.on('error', (error: Error) => {
    unreadable = error
  })
  try {
    await engine.images.build(tar, query, {
      signal: options.signal,
      registries: options.registries,
      onLine: (line) => {
        if (line.stream) log.push(line.stream)
        if (line.id === 'moby.buildkit.trace' && typeof line.aux === 'string')
          return trace.push(readTrace(Buffer.from(line.aux, 'base64')))
        if (line.status)
          options.onProgress({
            how: 'build',
            ...stepOf(log, file),
            text: [line.status, line.id].filter(Boolean).join(' '),
          })
      },
    })
    log.end()
    trace.end()
  } catch (error) {
    log.end()
    trace.end()
    options.signal?.throwIfAborted()
    throw buildError(error, { file, args: options.args, path: options.file, log, failed: trace.failed, unreadable })
  } finally {
    tar.destroy()
  }
}

/**
 * The classic builder, which every engine has over the API; BuildKit where a Dockerfile needs it, or has stages that only the classic builder would
 * build. BuildKit works without a session here: without logins at registries, secrets and SSH keys, and it cannot hide the Dockerfile from COPY.
 */
function builderFor(
  file: Dockerfile,
  { hidden, dockerfileName }: Context,
  { args, target, registries }: BuildOptions,
): BuildQuery['version'] {
  if (needsBuildkit(file)) return '2'
  return registries === undefined && !hidden.has(dockerfileName) && hasUnusedStages(file, args, target) ? '2' : '1'
}

function stepOf(log: BuildLog, file: Dockerfile): { step?: number; steps?: number } {
  return log.instruction
    ? { step: file.instructions.indexOf(log.instruction) + 1, steps: file.instructions.length }
    : {}
}
