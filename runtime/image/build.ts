/** Builds an image through the engine and says what failed, and where. */
import type { Engine } from '../engine/engine.ts'
import { problemOf } from '../engine/errors.ts'
import type { BuildQuery } from '../engine/images.ts'
import { MoorageError } from '../protocol/errors.ts'
import { type Context, contextTar } from './context.ts'
import { type Dockerfile, type Instruction, needsBuildkit, parseDockerfile } from './dockerfile.ts'
import { BuildLog, type ImageProgress } from './progress.ts'
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
 * Builds a context and tags the image: with the classic builder, which every engine has over the API, or with BuildKit where the Dockerfile needs it
 * (without a session, so no secret or ssh mounts). Rejects with 'build-failed' (detail: file, line, instruction, exitCode, lastOutput), 'disk-full' or
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
  const query: BuildQuery = {
    version: needsBuildkit(file) ? '2' : '1',
    dockerfile: context.dockerfileName,
    t: options.reference,
    buildargs: options.args,
    labels: options.labels,
    target: options.target,
    platform: options.platform,
  }
  const tar = contextTar(context)
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
    throw buildError(error, unreadable, log, file, options.file, trace.failed)
  } finally {
    tar.destroy()
  }
}

function stepOf(log: BuildLog, file: Dockerfile): { step?: number; steps?: number } {
  return log.instruction
    ? { step: file.instructions.indexOf(log.instruction) + 1, steps: file.instructions.length }
    : {}
}

function buildError(
  error: unknown,
  unreadable: Error | undefined,
  log: BuildLog,
  file: Dockerfile,
  path: string,
  failed: Instruction | undefined,
): unknown {
  const lastOutput = [...log.lastOutput]
  if (unreadable)
    return new MoorageError('build-failed', `The build context of ${path} could not be read: ${unreadable.message}`, {
      detail: { file: path, lastOutput },
      cause: unreadable,
    })
  if (!(error instanceof MoorageError) || error.code === 'engine-lost') return error
  const said = String(error.detail.engineMessage ?? error.message)
  const place = failed ?? placeOf(said, log.instruction, file)
  const detail = {
    file: path,
    line: place?.line,
    instruction: place ? `${place.name} ${place.args}` : undefined,
    exitCode: exitCode(said),
    lastOutput,
    engineMessage: said,
  }
  const where = place ? `${path}:${place.line}` : path
  if (problemOf(error) === 'disk-full')
    return new MoorageError('disk-full', `${where}: the engine's disk is full.`, {
      advice: error.advice,
      detail,
      cause: error,
    })
  return new MoorageError('build-failed', `${where}: ${sentence(said, place)}`, {
    advice: adviceFor(said, place),
    detail,
    cause: error,
  })
}

/** Where it failed: the line that the builder names, else the instruction that ran. */
export function placeOf(said: string, ran: Instruction | undefined, file: Dockerfile): Instruction | undefined {
  const line = Number(/parse error (?:on )?line (\d+)/i.exec(said)?.[1] ?? Number.NaN)
  if (!Number.isNaN(line))
    return (
      file.instructions.find((one) => one.line <= line && line <= one.endLine) ??
      file.instructions.findLast((one) => one.line <= line)
    )
  return ran
}

function exitCode(said: string): number | undefined {
  const code = /returned a non-zero code: (\d+)|exit (?:status|code:?) (\d+)/i.exec(said)
  return code ? Number(code[1] ?? code[2]) : undefined
}

function sentence(said: string, place: Instruction | undefined): string {
  const code = exitCode(said)
  if (place?.name === 'RUN' && code !== undefined)
    return `RUN ${short(place.args)} failed with exit code ${code}${code === 137 ? ' (killed, often for want of memory)' : ''}.`
  return said
    .replace(/^failed to (solve|create LLB definition)[^:]*: /, '')
    .replace(/^failed to create LLB definition: /, '')
    .replace(/^dockerfile parse error (on )?line \d+: /i, '')
    .replace(/^(COPY|ADD) failed: /, place ? `${place.name} ${short(place.args)} failed: ` : '$&')
}

function adviceFor(said: string, place: Instruction | undefined): string[] {
  if (place?.heredoc && /unknown instruction/i.test(said))
    return [
      'This engine is too old for heredocs in a Dockerfile: put `# syntax=docker/dockerfile:1` in its first line, or write the instruction without one.',
    ]
  if (/no active session|no session|secret .*not found/i.test(said))
    return [
      'Secrets and SSH keys (RUN --mount=type=secret, type=ssh) are not passed on to a build here: build the image yourself and name it in `image`.',
    ]
  if (place?.name === 'FROM')
    return /lookup|dial tcp|timeout|unreachable|connection refused/i.test(said)
      ? [
          'The registry cannot be reached: connect to the network, or set a base that is on this machine (a build argument, where the Dockerfile has an ARG for it).',
        ]
      : ['Check the name and tag of the base image; `docker login` where it is private.']
  if (
    /excluded by .dockerignore|no such file|not found in build context|file does not exist|no source files/i.test(said)
  )
    return [
      'Paths of COPY and ADD are relative to the build context (`image_build_context`, by default the folder of the Dockerfile); see also its .dockerignore.',
    ]
  if (/unknown instruction/i.test(said))
    return ['A line that continues an instruction needs a \\ at the end of the line before.']
  return []
}

function short(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}…` : text
}
