/** A container's log and its end, read from the engine. */
import type { Readable } from 'node:stream'
import { type ContainerInfo, check, Exit } from './answers.ts'
import { Demultiplexer, type OutputStream } from './demultiplex.ts'

/** Some output of a container. */
export interface Output {
  readonly stream: OutputStream
  readonly bytes: Buffer
}

/** Takes a log apart as it comes. */
export async function* readLog(response: Readable): AsyncGenerator<Output> {
  let ready: Output[] = []
  const frames = new Demultiplexer((stream, bytes) => ready.push({ stream, bytes }))
  for await (const chunk of response) {
    frames.push(chunk as Buffer)
    yield* ready
    ready = []
  }
}

/**
 * Reads how a container ended, once it has. Where the engine stopped waiting without saying so (it was restarted), `inspect` may still know.
 * Resolves with undefined where nobody does.
 */
export async function readExit(
  response: Readable,
  inspect: () => Promise<ContainerInfo | undefined>,
): Promise<Exit | undefined> {
  let text = ''
  for await (const chunk of response) text += String(chunk)
  const answer = text.trim()
  if (answer.endsWith('}')) return check(Exit, JSON.parse(answer), 'wait for a container')
  const now = await inspect()
  return now && !now.running ? { exitCode: now.exitCode, error: now.error || undefined } : undefined
}
