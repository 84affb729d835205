import { parseArgs } from 'node:util'

export interface ExecArguments {
  readonly config: string | undefined
  readonly object: string
  /** Empty: the best shell there is. */
  readonly argv: readonly string[]
  readonly user: string | undefined
  readonly cwd: string | undefined
  readonly env: Readonly<Record<string, string>>
}

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
  return { config: values.config, object, argv, user: values.user, cwd: values.cwd, env }
}
