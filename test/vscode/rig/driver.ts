/**
 * The line between a suite, which runs in VS Code's extension host, and the test, which drives the page around it. The suite
 * asks over HTTP on loopback; each question is answered when the test has done what it asks for.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** The environment variable that tells a suite where to ask. */
export const DRIVER = 'MOORAGE_TEST_DRIVER'

/** What a suite says at its end. */
export interface Outcome {
  readonly steps: readonly string[]
  /** With its stack; undefined where all went well. */
  readonly error?: string
}

export interface Driver extends AsyncDisposable {
  readonly url: string
  /** Resolves when the suite has ended. */
  readonly outcome: Promise<Outcome>
}

/**
 * Listens for a suite.
 * @param answer what is done for a question, by its name; the suite goes on when it has resolved, and fails when it rejects
 */
export async function listen(answer: (question: string, detail: unknown) => Promise<unknown>): Promise<Driver> {
  const { promise: outcome, resolve } = Promise.withResolvers<Outcome>()
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    const detail: unknown = JSON.parse(body || 'null')
    const question = (request.url ?? '/').slice(1)
    try {
      if (question === 'ended') resolve(detail as Outcome)
      const value = question === 'ended' ? null : await answer(question, detail)
      response.end(JSON.stringify(value ?? null))
    } catch (error) {
      response.statusCode = 500
      response.end(error instanceof Error ? error.stack : String(error))
    }
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    outcome,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((closed) => server.close(closed))
    },
  }
}

/** Asks the test, from a suite. */
export async function ask(question: string, detail?: unknown): Promise<unknown> {
  const response = await fetch(`${process.env[DRIVER]}/${question}`, {
    method: 'POST',
    body: JSON.stringify(detail ?? null),
  })
  if (!response.ok) throw new Error(await response.text())
  return response.json()
}
