/** A failed build in words: which line of the Dockerfile, why, and what to do. */
import { DISK_ADVICE, problemOf } from '../engine/errors.ts'
import { MoorageError } from '../protocol/errors.ts'
import { type Dockerfile, type Instruction, stagesOf } from './dockerfile.ts'
import type { BuildLog } from './progress.ts'

/** What a failed build knows. */
export interface Failure {
  readonly file: Dockerfile
  /** Build arguments. */
  readonly args: Readonly<Record<string, string>>
  /** The Dockerfile's, for people. */
  readonly path: string
  readonly log: BuildLog
  /** The instruction that the builder said failed. */
  readonly failed: Instruction | undefined
  /** Why the context could not be read to its end. */
  readonly unreadable: Error | undefined
}

/** The error for people. What is no failure of the build (a lost engine, a bug) comes back as it is. */
export function buildError(error: unknown, { file, args, path, log, failed, unreadable }: Failure): unknown {
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
  // The builder tells only of its own writes; those of a RUN are told by what it wrote.
  if (problemOf(error) === 'disk-full' || lastOutput.some((line) => /no space left on device/i.test(line))) {
    return new MoorageError('disk-full', `${where}: the engine's disk is full.`, {
      advice: DISK_ADVICE,
      detail,
      cause: error,
    })
  }
  return new MoorageError(
    'build-failed',
    `${where}: ${baseSentence(said, place, file, args) ?? sentence(said, place)}`,
    {
      advice: adviceFor(said, place),
      detail,
      cause: error,
    },
  )
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

/** What an engine says where a registry cannot be asked. */
const UNREACHABLE = /lookup|dial tcp|timeout|unreachable|no such host|connection refused/i

/** A base that cannot be had: the engine names only where it has looked, if that. */
function baseSentence(
  said: string,
  place: Instruction | undefined,
  file: Dockerfile,
  args: Failure['args'],
): string | undefined {
  const base = stagesOf(file, args).find(({ instructions }) => instructions[0] === place)?.from
  if (base === undefined || base === '' || /parse error/i.test(said)) return undefined
  return UNREACHABLE.test(said)
    ? `the base image ${base} is not on this machine, and its registry cannot be reached (${sentence(said, place)}).`
    : `the base image ${base} cannot be had: ${sentence(said, place)}`
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
    return UNREACHABLE.test(said)
      ? [
          'Connect to the network and rebuild, or set a base that is on this machine (a build argument, where the Dockerfile has an ARG for it).',
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
