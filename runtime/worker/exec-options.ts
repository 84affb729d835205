/** What exec() is given: the platform's conversions, checks and phrases, in the platform's order. Pure. */
import * as check from './check.ts'

export const NO_PTY = 'resize() can only be called on a process that was started with a PTY.'
const NO_STDIN = 'stdin must be a ReadableStream or the string "pipe".'
const ON = 'ExecOptions'

/** Cells of a terminal that was not told its size. */
const COLS = 80
const ROWS = 24
const MAX_CELLS = 65_535

/** exec()'s arguments after conversion and all checks. */
export interface CheckedExec {
  readonly cmd: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string | undefined
  readonly user: string | undefined
  readonly stdin: ReadableStream | 'pipe' | undefined
  readonly stdout: 'pipe' | 'ignore'
  readonly stderr: 'pipe' | 'ignore' | 'combined'
  readonly signal: AbortSignal | undefined
  readonly pty: { readonly cols: number; readonly rows: number } | undefined
}

/**
 * Converts and checks exec()'s arguments. That the container runs was looked at before.
 * @throws TypeError, RangeError, Error, or the reason of an aborted signal; nothing has been started then.
 */
export function checkExec(args: readonly unknown[]): CheckedExec {
  const [list, given] = args
  if (!Array.isArray(list)) throw wrongParameter(1, 'Array')
  const cmd = list.map(check.toText)
  if (given !== undefined && given !== null && !check.isObject(given)) throw wrongParameter(2, ON)
  const options = given ?? {}
  const text = (name: string): string | undefined => {
    const value = (options as Record<string, unknown>)[name]
    return value === undefined ? undefined : check.toText(value)
  }
  const { env: names, stdin: source, signal, pty: terminal } = options as Record<string, unknown>
  const env = names === undefined ? {} : check.dictionary(names, 'env', ON)
  if (signal !== undefined && !(signal instanceof AbortSignal)) throw check.wrongField('signal', 'AbortSignal', ON)
  const pty = convertPty(terminal)
  const [stdoutMode, stderrMode, cwd, user] = [text('stdout'), text('stderr'), text('cwd'), text('user')]

  if (cmd.length === 0) throw new TypeError('exec() requires a non-empty command array.')
  const stdout = stdoutMode ?? 'pipe'
  if (stdout !== 'pipe' && stdout !== 'ignore') throw new TypeError(`Invalid stdout option: ${stdout}`)
  const stderr = stderrMode ?? (pty ? 'combined' : 'pipe')
  if (pty && stderr !== 'combined') throw new TypeError('stderr must be "combined" when PTY is enabled.')
  if (stderr !== 'pipe' && stderr !== 'ignore' && stderr !== 'combined')
    throw new TypeError(`Invalid stderr option: ${stderr}`)
  if (stderr === 'combined' && stdout !== 'pipe')
    throw new TypeError(
      // Where stderr was not set, an error about it would be no help.
      pty && stderrMode === undefined
        ? 'stdout must be "pipe" when PTY is enabled.'
        : 'stderr: "combined" requires stdout to be "pipe".',
    )
  signal?.throwIfAborted()
  for (const [name, value] of Object.entries({ cwd, user, cmd: cmd.join('') }))
    if (value?.includes('\0')) throw new TypeError(`${name} cannot contain '\\0' characters.`)
  for (const [name, value] of Object.entries(env)) check.checkEnvironment(name, value)
  if (pty) checkSize(pty.cols, pty.rows)
  return { cmd, env, cwd, user, stdin: checkStdin(source, pty !== undefined), stdout, stderr, signal, pty }
}

/** The size that resize() was given. @throws RangeError outside 1..65535, TypeError where it is no number or left out. */
export function checkResize(args: readonly unknown[]): { cols: number; rows: number } {
  for (const n of [1, 2])
    if (args.length < n)
      throw new TypeError(`Failed to execute 'resize' on 'ExecProcess': parameter ${n} is not of type 'integer'.`)
  return checkSize(check.toInt32(args[0]), check.toInt32(args[1]))
}

function checkSize(cols: number, rows: number): { cols: number; rows: number } {
  for (const [name, cells] of Object.entries({ cols, rows }))
    if (cells < 1 || cells > MAX_CELLS) throw new RangeError(`PTY ${name} must be between 1 and ${MAX_CELLS}.`)
  return { cols, rows }
}

/** true or an object is a terminal, anything else is as true as JavaScript finds it. */
function convertPty(value: unknown): CheckedExec['pty'] {
  if (!check.isObject(value)) return value ? { cols: COLS, rows: ROWS } : undefined
  const { cols = COLS, rows = ROWS } = value
  return { cols: check.toInt32(cols), rows: check.toInt32(rows) }
}

function checkStdin(value: unknown, terminal: boolean): CheckedExec['stdin'] {
  if (value === undefined) return terminal ? 'pipe' : undefined
  if (!(value instanceof ReadableStream)) {
    if (check.toText(value) !== 'pipe') throw new TypeError(NO_STDIN)
    return 'pipe'
  }
  if (value.locked) throw new TypeError('This ReadableStream is currently locked to a reader.')
  return value
}

function wrongParameter(n: number, type: string): TypeError {
  return new TypeError(`Failed to execute 'exec' on 'Container': parameter ${n} is not of type '${type}'.`)
}
