import { parseArgs } from 'node:util'
import { EXEC_HELP, type ExecArguments, parseExec } from './exec-arguments.ts'

export interface DevArguments {
  readonly config: readonly string[]
  readonly env: string | undefined
  readonly port: number | undefined
  readonly inspectorPort: number | undefined
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error'
  readonly buildArgs: Readonly<Record<string, string>>
  readonly limits: boolean
}

/** What someone typed: a command, or why it is none. */
export type Command =
  | { readonly command: 'dev'; readonly dev: DevArguments }
  | { readonly command: 'exec'; readonly exec: ExecArguments }
  | { readonly command: 'help'; readonly text: string }
  | { readonly command: 'version' }
  | { readonly command: 'wrong'; readonly message: string }

export const HELP = `moorage: run a Worker project and its containers on this machine

  moorage dev [options]      run the project in this folder

  moorage exec OBJECT [options] [-- COMMAND…]
                             run a command in the container of an object (Class/name) of a
                             session that runs; without a command, the best shell there is.
                             Its options: moorage exec --help

Options of dev:
  --config, -c FILE          wrangler.jsonc, .json or .toml; more than once for several Workers
  --env, -e NAME             a section of "env" in the config
  --port PORT                where the Worker is served; default 8787, 0 for a free one
  --inspector-port PORT      where a debugger attaches; default a free one
  --log-level LEVEL          debug, info, warn or error; default info
  --build-arg NAME=VALUE     an ARG of the Dockerfiles; more than once
  --no-limits                no limits of CPU, memory and max_instances
  --version, --help

While it runs: r rebuilds the images, q or Ctrl-C ends it and leaves nothing behind.
DOCKER_HOST or the current docker context chooses the engine, MOORAGE_NODE the Node for wrangler.
`

const LEVELS = ['debug', 'info', 'warn', 'error'] as const

/** Reads the arguments behind the program's name. */
export function parseCommand(argv: readonly string[]): Command {
  let parsed: ReturnType<typeof parse>
  try {
    if (argv[0] === 'exec') {
      const end = argv.indexOf('--')
      const asked = (end < 0 ? argv : argv.slice(0, end)).some((word) => word === '--help' || word === '-h')
      return asked ? { command: 'help', text: EXEC_HELP } : { command: 'exec', exec: parseExec(argv.slice(1)) }
    }
    parsed = parse(argv)
  } catch (error) {
    return { command: 'wrong', message: error instanceof Error ? error.message : String(error) }
  }
  const { values, positionals } = parsed
  if (values.version === true) return { command: 'version' }
  if (values.help === true || positionals.length === 0) return { command: 'help', text: HELP }
  if (positionals[0] !== 'dev' || positionals.length > 1) {
    return { command: 'wrong', message: `There is no command "${positionals.join(' ')}". Try: moorage dev` }
  }
  const port = portOf(values.port)
  const inspectorPort = portOf(values['inspector-port'])
  if (port === 'wrong' || inspectorPort === 'wrong')
    return { command: 'wrong', message: 'A port is a number from 0 to 65535.' }
  const logLevel = LEVELS.find((level) => level === (values['log-level'] ?? 'info'))
  if (logLevel === undefined) return { command: 'wrong', message: `--log-level is one of ${LEVELS.join(', ')}.` }
  const buildArgs: Record<string, string> = {}
  for (const arg of values['build-arg'] ?? []) {
    const at = arg.indexOf('=')
    if (at < 1) return { command: 'wrong', message: '--build-arg is NAME=VALUE.' }
    buildArgs[arg.slice(0, at)] = arg.slice(at + 1)
  }
  const limits = values['no-limits'] !== true
  return {
    command: 'dev',
    dev: { config: values.config ?? [], env: values.env, port, inspectorPort, logLevel, buildArgs, limits },
  }
}

function parse(argv: readonly string[]) {
  return parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      config: { type: 'string', short: 'c', multiple: true },
      env: { type: 'string', short: 'e' },
      port: { type: 'string' },
      'inspector-port': { type: 'string' },
      'log-level': { type: 'string' },
      'build-arg': { type: 'string', multiple: true },
      'no-limits': { type: 'boolean' },
      version: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  })
}

function portOf(text: string | undefined): number | undefined | 'wrong' {
  if (text === undefined) return undefined
  const port = Number(text)
  return /^\d+$/.test(text) && port <= 65_535 ? port : 'wrong'
}
