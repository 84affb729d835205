/** Starts a process in the container: one request, whose answer says the pid and, when it comes, the end. */
import type { Ended, ExecRequest, Refusal, Started, Tell } from '../protocol/worker.ts'
import { CONNECTION_LOST, refusalError } from './check.ts'
import type { CheckedExec } from './exec-options.ts'
import { ExecProcess } from './exec-process.ts'
import { feed, Input, Output } from './exec-streams.ts'
import { type Link, runningOf } from './link.ts'

const SIGKILL = 9

/** What an exec needs besides its arguments. */
export interface ExecContext {
  readonly link: Link
  /** This process's number: the isolate's own, not in use. */
  readonly process: number
  /** Made where the Worker called exec(): what it fails with, so that who looks is led to the Worker's own line. */
  readonly at: Error
  /** Told what the answer says about `running`. */
  readonly heard: (seq: number, running: boolean) => void
  /** Told as a process begins and ends: while one runs, the object stays in memory. */
  readonly waiting: (change: 1 | -1) => void
}

/**
 * Starts a process. Resolves when it runs.
 * @throws Error that says why it was not started.
 */
export async function exec(asked: CheckedExec, context: ExecContext): Promise<ExecProcess> {
  const { link, process, waiting } = context
  waiting(1)
  const { seq, response: answered } = link.exec('/exec', requestOf(asked, context))
  // At once: a request made later would not leave the isolate when the Worker then enters a block and writes from there.
  const stdin = asked.stdin && openStdin((body) => link.stream(process, 'stdin', { method: 'PUT', body }, seq))
  try {
    const response = await answered
    const running = runningOf(response)
    if (running !== undefined) context.heard(seq, running)
    if (response.status !== 200 || !response.body) throw refusalError((await response.json()) as Refusal)
    const { pid, rest } = await readStart(response.body)
    const [watched, kept] = response.body.tee()

    let ended: Promise<number> | undefined
    const tell = (told: Tell): void => {
      if (!ended) link.exec(`/process/${process}/tell`, told).response.catch(() => {})
    }
    const kill = (): void => tell({ signal: SIGKILL })
    const input = stdin && asked.stdin === 'pipe' ? new Input(stdin, () => started.exitCode) : undefined
    const { signal } = asked
    if (signal?.aborted) kill()
    else signal?.addEventListener('abort', kill, { once: true })
    // Read twice: here for our own sake, and where the Worker asks, in the block in which it does.
    void readEnd(watched, rest).then((end) => {
      ended = outcome(end)
      ended.catch(() => {})
      input?.ended()
      signal?.removeEventListener('abort', kill)
      waiting(-1)
    })

    if (stdin && !input) void feed(asked.stdin as ReadableStream, stdin)
    const output = (name: 'stdout' | 'stderr'): Output | undefined =>
      asked[name] === 'pipe'
        ? new Output(
            () => link.stream(process, name),
            waiting,
            () => started.exitCode,
          )
        : undefined
    const started = new ExecProcess({
      pid,
      isPty: asked.pty !== undefined,
      stdin: input,
      stdout: output('stdout'),
      stderr: output('stderr'),
      exit: () => ended ?? readEnd(kept, rest).then(outcome),
      tell,
    })
    return started
  } catch (error) {
    waiting(-1)
    if (stdin && !stdin.locked) stdin.close().catch(() => {})
    throw blamed(error, context.at)
  }
}

/** An error that was made where a function was called from, without the function itself. */
export function calledFrom(callee: (...args: never[]) => unknown): Error {
  const at = new Error()
  const { captureStackTrace } = Error as unknown as { captureStackTrace?(on: object, below: unknown): void }
  captureStackTrace?.(at, callee)
  return at
}

/** The frames of an error; undefined where the engine does not tell. */
function framesOf(at: Error): string | undefined {
  const lines = at.stack?.split('\n').slice(1).join('\n')
  return lines === '' ? undefined : lines
}

/** What went wrong, as an error that was made where the Worker asked for it. */
function blamed(error: unknown, at: Error): unknown {
  if (!(error instanceof Error) || error.name !== 'Error') return error
  const { stack: _, ...own } = Object.getOwnPropertyDescriptors(error)
  const frames = framesOf(at)
  Object.defineProperties(at, own)
  at.stack = [`${at}`, ...(frames === undefined ? [] : [frames])].join('\n')
  return at
}

function requestOf(asked: CheckedExec, { process, at }: ExecContext): ExecRequest {
  const stack = framesOf(at)
  const { cmd, env, cwd, user, stdin, stdout, stderr, pty } = asked
  return {
    process,
    cmd,
    env,
    stdin: stdin !== undefined,
    stdout,
    stderr,
    ...(cwd !== undefined && { cwd }),
    ...(user !== undefined && { user }),
    ...(pty && { pty }),
    ...(stack !== undefined && { stack }),
  }
}

/** Where to write for stdin. Broken off by the process, the writer hears of it. */
function openStdin(put: (body: ReadableStream) => Promise<Response>): WritableStream {
  // workerd's own, not a TransformStream: that one is not pumped behind a closed gate.
  const { readable, writable } = new IdentityTransformStream()
  put(readable).catch(() => {})
  return writable
}

/** The first line of the answer, and what was read past it. */
async function readStart(body: ReadableStream<Uint8Array>): Promise<Started & { rest: string }> {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  for (let text = ''; ; ) {
    const { done, value } = await reader.read()
    if (done) throw new Error(CONNECTION_LOST)
    text += decoder.decode(value, { stream: true })
    const at = text.indexOf('\n')
    if (at === -1) continue
    reader.releaseLock()
    return { ...(JSON.parse(text.slice(0, at)) as Started), rest: text.slice(at + 1) }
  }
}

/** The last line of the answer. Broken off, it says that the connection was lost. Never rejects. */
async function readEnd(body: ReadableStream<Uint8Array>, read: string): Promise<Ended> {
  try {
    return JSON.parse(read + (await new Response(body).text())) as Ended
  } catch {
    return { failure: { message: CONNECTION_LOST } }
  }
}

/** What exitCode tells of an end. */
async function outcome(end: Ended): Promise<number> {
  if ('failure' in end) throw refusalError(end.failure)
  return end.exitCode
}
