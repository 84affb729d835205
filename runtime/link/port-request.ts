/** One HTTP request of an isolate into a container, as it was meant (semantics.md, Ports). */
import type { IncomingHttpHeaders } from 'node:http'
import { OWN } from '../protocol/worker.ts'

/** Of one hop, not of the request. */
const OF_THE_HOP = new Set(['connection', 'keep-alive', 'proxy-connection'])

/**
 * The headers for the container, as a flat list of names and values: ours, the hop's and those that only workerd wanted are
 * gone, Host is the URL's.
 * @param raw as Node gives rawHeaders.
 * @param strip names that workerd added and the Worker did not set, with commas between.
 */
export function requestHeaders(raw: readonly string[], host: string, strip = ''): string[] {
  const added = new Set(strip.split(',').map((name) => name.trim().toLowerCase()))
  const headers = ['Host', host]
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] as string
    const lower = name.toLowerCase()
    if (lower.startsWith(OWN)) headers.push(name.slice(OWN.length), raw[i + 1] as string)
    if (lower === 'host' || lower.startsWith('x-moorage-') || added.has(lower) || OF_THE_HOP.has(lower)) continue
    headers.push(name, raw[i + 1] as string)
  }
  return headers
}

/** The headers of an answer for the isolate, without those of the hop. */
export function answerHeaders(raw: readonly string[]): string[] {
  const headers: string[] = []
  for (let i = 0; i + 1 < raw.length; i += 2) {
    if (!OF_THE_HOP.has((raw[i] as string).toLowerCase())) headers.push(raw[i] as string, raw[i + 1] as string)
  }
  return headers
}

/**
 * Whether a request may be sent again on a new connection when a kept one turned out to be dead: nothing of a body was
 * sent, and the method says that twice is as good as once.
 */
export function mayRepeat(method: string, headers: IncomingHttpHeaders): boolean {
  const bodiless = headers['content-length'] === undefined && headers['transfer-encoding'] === undefined
  return bodiless && (method === 'GET' || method === 'HEAD' || method === 'OPTIONS')
}
