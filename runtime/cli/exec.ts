/** `moorage exec`: a process in a container of a session that runs, from another terminal. */
import { constants } from 'node:os'
import { getSystemErrorMap } from 'node:util'
import { type Joined, joinProcess, MoorageError } from '../index.ts'
import type { ExecArguments } from './exec-arguments.ts'

/** The exit code where the process could not be started. */
const NOT_STARTED = 125
/** That of a process whose container ended under it, and it with it: as after SIGKILL, and as `docker exec` has it. */
const LOST = 137
/** As a shell tells of a program whose reader has gone. */
const NO_READER = 128 + constants.signals.SIGPIPE
/** Where its output could not be written. */
const NOT_WRITTEN = 1

/** The person's side: where typed bytes come from, and where output goes. */
export interface Terminal {
  readonly stdin: NodeJS.ReadStream
  readonly stdout: NodeJS.WriteStream
  readonly stderr: NodeJS.WriteStream
}

/** Runs until the process ends. Resolves with its exit code; 125 where it could not be started, 137 where it was lost. */
export async function exec(args: ExecArguments, terminal: Terminal = process): Promise<number> {
  const { stdin, stdout, stderr } = terminal
  const tty = stdin.isTTY === true && stdout.isTTY === true
  const [out, err] = [new Output(stdout), new Output(stderr)]
  const say = (text: string): void => void stderr.write(`${text}\n`)
  for (const note of args.notes) say(note)
  let exitCode = NOT_STARTED
  let told = false
  let joined: Joined
  try {
    joined = await joinProcess(
      args.config ?? '.',
      {
        object: args.object,
        argv: args.argv,
        env: args.env,
        stdin: true,
        ...(args.cwd === undefined ? {} : { cwd: args.cwd }),
        ...(args.user === undefined ? {} : { user: args.user }),
        ...(tty ? { tty: sizeOf(stdout) } : {}),
      },
      {
        onOutput: (source, bytes) => (source === 2 ? err : out).write(bytes),
        onMessage: (message) => {
          told ||= message.type !== 'started' && message.type !== 'note'
          if (message.type === 'started') exitCode = LOST
          else if (message.type === 'ended') {
            exitCode = message.end.exitCode ?? LOST
            if (message.end.lost !== undefined) say(message.end.lost)
          } else if (message.type === 'note') say(message.text)
          else if (message.type === 'refused') {
            for (const line of [message.message, ...message.advice.map((advice) => `  ${advice}`)]) say(line)
          }
        },
      },
    )
  } catch (error) {
    if (!(error instanceof MoorageError)) throw error
    for (const line of [error.message, ...error.advice.map((advice) => `  ${advice}`)]) say(line)
    return NOT_STARTED
  }

  if (tty) {
    stdin.setRawMode(true)
    stdout.on('resize', () => joined.tell({ type: 'resize', ...sizeOf(stdout) }))
  } else {
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(name, () => joined.tell({ type: 'signal', signal: constants.signals[name] }))
    }
  }
  stdin.on('data', (bytes: Buffer) => {
    stdin.pause()
    void joined.write(bytes).then(() => stdin.resume())
  })
  stdin.on('end', () => joined.tell({ type: 'eof' }))
  const broken = await Promise.race([joined.closed, out.broken, err.broken])
  if (tty) stdin.setRawMode(false)
  stdin.pause()
  if (broken !== undefined) {
    joined.close()
    if (broken.code === 'EPIPE') return NO_READER
    say(`The output could not be written: ${getSystemErrorMap().get(broken.errno ?? 0)?.[1] ?? broken.message}.`)
    return NOT_WRITTEN
  }
  if (!told) say('The session has ended.')
  // What is still on its way to a pipe would be lost with the process.
  await Promise.all([stdout, stderr].map((stream) => new Promise((resolve) => stream.write('', resolve))))
  return exitCode
}

/** A terminal's size; one that has none, as under some programs, counts as 80x24. */
function sizeOf(stdout: NodeJS.WriteStream): { cols: number; rows: number } {
  return { cols: stdout.columns || 80, rows: stdout.rows || 24 }
}

/** One of the person's streams. */
class Output {
  readonly #stream: NodeJS.WriteStream
  /** Everyone who finds it full waits for the same. */
  #drained: Promise<void> | undefined
  /** Resolves with why it cannot be written any more. */
  readonly broken: Promise<NodeJS.ErrnoException>

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream
    this.broken = new Promise((resolve) => stream.on('error', resolve))
  }

  /** Writes; where the other end is slow, the promise waits for it. */
  write(bytes: Buffer): Promise<void> | undefined {
    if (this.#stream.write(bytes)) return undefined
    this.#drained ??= new Promise((resolve) => {
      this.#stream.once('drain', () => {
        this.#drained = undefined
        resolve()
      })
    })
    return this.#drained
  }
}
