/** What can be wrong with a Worker, for people: wrangler's, esbuild's and workerd's errors in one form. */
import { createServer } from 'node:net'
import type { FromChild } from '../protocol/child.ts'
import { MoorageError } from '../protocol/errors.ts'
import { buildMessage } from './exports.ts'
import type { WranglerProblem } from './found.ts'

/** What the session is told when nothing more can be done. */
export function failedMessage(error: unknown): Extract<FromChild, { type: 'failed' }> {
  if (error instanceof MoorageError)
    return { type: 'failed', code: error.code, message: error.message, advice: error.advice, detail: error.detail }
  return { type: 'failed', code: 'worker-failed', message: describe(error), advice: [], detail: {} }
}

/** Why a config cannot be read, with the place where wrangler knows it. */
export function describeConfig(error: unknown): string {
  const { message, location } = error as { message: string; location?: ConfigPlace }
  if (location?.file === undefined) return message
  const { file, line, column, lineText } = location
  return `${file}:${line}:${column + 1}: ${message}\n    ${lineText.trim()}`
}

interface ConfigPlace {
  readonly file?: string
  readonly line: number
  readonly column: number
  readonly lineText: string
}

/** What is wrong, in words for people. */
export function describe(error: unknown): string {
  const message = buildMessage(error)
  if (message !== undefined) return message
  return ofRuntime(error instanceof Error ? error.message : String((error as { message?: unknown })?.message ?? error))
}

/** workerd tells why it does not start in lines of JSON, in the middle of wrangler's sentence about it. */
function ofRuntime(text: string): string {
  const told = text.split('\n').flatMap((line) => {
    try {
      const { message, level } = JSON.parse(line) as { message?: unknown; level?: unknown }
      return typeof message === 'string' && level === 'error' ? [message.replace(/^service core:user:[^:]*: /, '')] : []
    } catch {
      return []
    }
  })
  return told.length > 0 ? told.join('\n') : text
}

/** Whether the code is gone that was served before: it is the runtime that failed, not a build or the config. */
export function isOfRuntime(problem: WranglerProblem): boolean {
  return problem.source === undefined || problem.source.endsWith('RuntimeController')
}

/** Whether a start failed because another program has the port. */
export function isAddressInUse(error: unknown): boolean {
  const { code, message } = error as { code?: unknown; message?: unknown }
  return code === 'EADDRINUSE' || code === 'ERR_ADDRESS_IN_USE' || /address already in use/i.test(String(message))
}

/** The error of a port that another program has; `option` chooses another one. */
export function portInUse(port: number, option = '--port'): MoorageError {
  return new MoorageError('port-in-use', `Port ${port} is in use by another program.`, {
    advice: [`Choose another one with ${option}, or end the program that listens there.`],
    detail: { port },
  })
}

/** workerd would say it later and worse. @throws MoorageError `port-in-use`. */
export async function checkPort(port: number, host: string, option?: string): Promise<void> {
  if (port === 0) return
  await new Promise<void>((resolve, reject) => {
    const probe = createServer()
    probe.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? reject(portInUse(port, option)) : resolve(),
    )
    probe.listen({ port, host: host === '*' ? '0.0.0.0' : host, exclusive: true }, () => probe.close(() => resolve()))
  })
}

/** workerd ended while it was started, and wrangler has no word for it. */
export function doesNotStart(how: string): MoorageError {
  return new MoorageError(
    'worker-failed',
    `workerd does not start: it ended with ${how}, and wrangler says nothing more.`,
    {
      advice: [
        'Is it installed for this machine? npm ls workerd, npx workerd --version',
        'On a bare system it may miss certificates: apt-get install ca-certificates',
      ],
    },
  )
}
