/** What an exec is started as: what was asked for, and beside it what the app has. */
import type { RunCommand } from '../protocol/relay.ts'

/** What a program expects that has a terminal and was told of none: what people's terminals understand. */
const TERM = 'xterm-256color'

/** What was asked for. */
export interface AskedCommand {
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string | undefined
  readonly user: string | undefined
  readonly pty: object | undefined
}

/** An empty folder or user is none; a relative folder is below the app's. */
export function commandOf(asked: AskedCommand, app: RunCommand): Pick<RunCommand, 'argv' | 'env' | 'cwd' | 'user'> {
  const { argv, cwd, user, pty } = asked
  return {
    argv,
    env: { ...(pty !== undefined && { TERM }), ...app.env, ...asked.env },
    cwd: !cwd ? app.cwd : cwd.startsWith('/') ? cwd : `${app.cwd.replace(/\/$/, '')}/${cwd}`,
    user: user || app.user,
  }
}
