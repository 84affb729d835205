import { type Session, startSession } from '../index.ts'
import { MoorageError } from '../protocol/errors.ts'
import type { ContainerState, ObjectKey } from '../protocol/model.ts'
import type { DevArguments } from './arguments.ts'
import { tellEnding } from './ending.ts'
import { duration, linesOf, type Style } from './lines.ts'

/** A class that polls, as Container does, meets the same refusal several times a second; once in a while is enough. */
const REPEAT_MS = 30_000

/** Whether the same end of a container was told of the same object a moment ago. */
function tellOnce(now: () => number = Date.now): (object: ObjectKey, container: ContainerState) => boolean {
  const told = new Map<string, number>()
  return (object, container) => {
    if (container.state !== 'failed' || container.end.reason.kind !== 'start-failed') return false
    const key = `${object} ${container.end.message}`
    const last = told.get(key)
    if (last !== undefined && now() - last < REPEAT_MS) return true
    told.set(key, now())
    return false
  }
}

/** Runs a project until someone ends it. Resolves with the exit code. */
export async function dev(
  args: DevArguments,
  out: NodeJS.WriteStream = process.stdout,
  err: NodeJS.WriteStream = process.stderr,
): Promise<number> {
  const began = Date.now()
  const style: Style = { color: out.isTTY === true && process.env.NO_COLOR === undefined, level: args.logLevel }
  const say = (text: string): void => void out.write(`${text}\n`)
  const abort = new AbortController()
  let end: (code: number) => void = () => undefined
  const ended = new Promise<number>((resolve) => {
    end = resolve
  })
  let asked = false
  let session: Session | undefined
  let over = (): void => undefined
  const quit = (): void => {
    if (asked) return
    asked = true
    over = tellEnding(async () => session?.left(), say)
    abort.abort()
    end(0)
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, quit)

  const repeated = tellOnce()
  try {
    session = await startSession({
      config: [...args.config],
      ...(args.env === undefined ? {} : { env: args.env }),
      port: args.port ?? 8787,
      ...(args.inspectorPort === undefined ? {} : { inspectorPort: args.inspectorPort }),
      logLevel: args.logLevel,
      buildArgs: args.buildArgs,
      limits: args.limits,
      signal: abort.signal,
      onEvent: (event, model) => {
        if (event.type === 'container' && repeated(event.object, event.container)) return
        for (const line of linesOf(event, model, style)) (line.to === 'stdout' ? out : err).write(`${line.text}\n`)
      },
      onNotice: say,
    })
  } catch (error) {
    over()
    if (asked) return 0
    for (const line of describe(error)) err.write(`${line}\n`)
    return 1
  }

  for (const url of session.urls) say(`Ready on ${url}  (${duration(Date.now() - began)})`)
  if (process.stdin.isTTY === true) {
    say('r rebuilds the images, q ends it.')
    listen(session, quit)
  }
  const failed = session.failed.then((error) => {
    for (const line of describe(error)) err.write(`${line}\n`)
    return 1
  })
  const code = await Promise.race([ended, failed])
  try {
    await session.dispose()
  } catch (error) {
    const [first] = error instanceof AggregateError ? error.errors : [error]
    err.write('Not everything could be removed; the next start of a session on this machine removes it.\n')
    for (const line of describe(first instanceof AggregateError ? first.errors[0] : first)) err.write(`  ${line}\n`)
  }
  over()
  return code
}

function listen(session: Session, quit: () => void): void {
  process.stdin.setRawMode(true)
  process.stdin.resume()
  process.stdin.on('data', (bytes) => {
    for (const key of bytes.toString('latin1')) {
      if (key === 'q' || key === '\u0003' || key === '\u0004') quit()
      if (key === 'r') void session.rebuild()
    }
  })
}

/** An error for people: the sentence, what to do, and nothing of a stack. */
function describe(error: unknown): string[] {
  if (error instanceof MoorageError) return [error.message, ...error.advice.map((advice) => `  ${advice}`)]
  return [error instanceof Error ? (error.stack ?? error.message) : String(error)]
}
