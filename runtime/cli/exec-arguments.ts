import { parseArgs } from 'node:util'

export interface ExecArguments {
  readonly config: string | undefined
  readonly object: string
  /** Empty: the best shell there is. */
  readonly argv: readonly string[]
  readonly user: string | undefined
  readonly cwd: string | undefined
  readonly env: Readonly<Record<string, string>>
  /** Said before it starts. */
  readonly notes: readonly string[]
}

export const EXEC_HELP = `moorage exec: a command in the container of an object, in a session that runs

  moorage exec OBJECT [options] [-- COMMAND…]

OBJECT is Class/name, Class/id, or only the name or the beginning of an id. Without a command
it opens the best shell there is: bash, else sh, else a busybox put beside the app. With a
terminal on both ends the process has one, too; a pipe stays a pipe.

  --user, -u NAME            a user of the image, or uid[:gid]; default the image's
  --cwd, -w FOLDER           where it runs; default the image's
  --env, -e NAME=VALUE       in its environment; more than once
  --config, -c FILE          of which project; default the one in this folder
  --help, -h

It ends with the exit code of the process; 125: it could not be started; 137: killed, or its
container ended, which is then said; 141: whoever read its output went.
MOORAGE_BUSYBOX, where moorage dev runs, is where a shell comes from for images without one:
an image with /bin/busybox, or a path; default busybox:musl.
`

/**
 * Reads what stands behind `moorage exec`: options, the object, and the command behind `--`.
 * @throws Error with a sentence where it is not understood.
 */
export function parseExec(args: readonly string[]): ExecArguments {
  const end = args.indexOf('--')
  const ours = end < 0 ? args : args.slice(0, end)
  const argv = end < 0 ? [] : args.slice(end + 1)
  const { values, positionals } = parseArgs({
    args: [...ours],
    allowPositionals: true,
    options: {
      config: { type: 'string', short: 'c' },
      user: { type: 'string', short: 'u' },
      cwd: { type: 'string', short: 'w' },
      env: { type: 'string', short: 'e', multiple: true },
      // As docker has them.
      interactive: { type: 'boolean', short: 'i' },
      tty: { type: 'boolean', short: 't' },
    },
  })
  const [object, ...rest] = positionals
  if (object === undefined) throw new Error('Which object? moorage exec Class/name -- command')
  if (rest.length > 0) throw new Error(`The command stands behind --: moorage exec ${object} -- ${rest.join(' ')}`)
  const env: Record<string, string> = {}
  for (const entry of values.env ?? []) {
    const at = entry.indexOf('=')
    if (at < 1) throw new Error('-e is NAME=VALUE.')
    env[entry.slice(0, at)] = entry.slice(at + 1)
  }
  const dockers = values.interactive === true || values.tty === true
  const notes = dockers
    ? ['-i and -t are not needed: stdin is always passed on, and a terminal is had where there is one.']
    : []
  return { config: values.config, object, argv, user: values.user, cwd: values.cwd, env, notes }
}
