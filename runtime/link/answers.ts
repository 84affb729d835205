/** How the relay answers isolates. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import * as wire from '../protocol/worker.ts'
import type { InstanceRoute } from './instances.ts'

/** The longest body that a call may have. */
export const MAX_BODY_BYTES = 4_194_304

/** The RUNNING header's value. */
export function running(instance: InstanceRoute | undefined): string {
  return instance?.object.running === true ? '1' : '0'
}

/** A value for a header. */
export function encoded(value: unknown): string {
  return encodeURIComponent(JSON.stringify(value))
}

/** Answers with JSON. */
export function reply(response: ServerResponse, instance: InstanceRoute, value: unknown): void {
  const body = JSON.stringify(value)
  response.writeHead(200, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    [wire.RUNNING]: running(instance),
  })
  response.end(body)
}

/** Answers with why not; a client that is gone, or an answer that has begun, is broken off. */
export function refuse(
  response: ServerResponse,
  instance: InstanceRoute | undefined,
  refusal: wire.Refusal,
  status = 502,
): void {
  if (response.headersSent || response.destroyed) {
    response.destroy()
    return
  }
  const body = status === 400 ? JSON.stringify(refusal) : ''
  response.writeHead(status, {
    [wire.ERROR]: encoded(refusal),
    [wire.RUNNING]: running(instance),
    'content-length': Buffer.byteLength(body),
  })
  response.end(body)
}

/** A request's body as text. @throws where it is longer than `most` bytes. */
export async function bodyText(request: IncomingMessage, most = MAX_BODY_BYTES): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > most) throw new Error('A call is too long.')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
