/** DNS for sandboxes: with internet the machine's own resolver answers, without it no query leaves the machine. */
import { createSocket } from 'node:dgram'
import { getServers } from 'node:dns'
import type { Duplex } from 'node:stream'

const FORWARD_TIMEOUT_MS = 5_000
const HEADER_BYTES = 12
const MAX_QUERY_BYTES = 4_096
/** Queries of one connection that may wait for their turn. */
const MAX_WAITING = 32
const NXDOMAIN = 3
const SERVFAIL = 2

/**
 * An answer without records to a query: the query's own bytes with the answer bit, "recursion available" and a code
 * (RFC 1035, 4.1.1). Records behind the question are dropped.
 * @returns undefined where it is no query.
 */
export function emptyAnswer(query: Uint8Array, code: number): Uint8Array | undefined {
  if (query.length < HEADER_BYTES || query.length > MAX_QUERY_BYTES) return undefined
  const view = new DataView(query.buffer, query.byteOffset, query.byteLength)
  const flags = view.getUint16(2)
  if ((flags & 0x8000) !== 0 || view.getUint16(4) !== 1) return undefined
  let end = HEADER_BYTES
  for (;;) {
    const length = query[end]
    if (length === undefined || length > 63) return undefined
    end += length + 1
    if (length === 0) break
  }
  end += 4
  if (end > query.length) return undefined
  // A copy of its own: a Buffer's slice is the same memory, often shared with all of Node.
  const answer = Uint8Array.from(query.subarray(0, end))
  const out = new DataView(answer.buffer)
  out.setUint16(2, 0x8080 | (flags & 0x7900) | code)
  out.setUint16(6, 0)
  out.setUint16(8, 0)
  out.setUint16(10, 0)
  return answer
}

/**
 * Answers one query.
 * @param internet whether the sandbox that asks may use the internet.
 * @returns the answer's bytes, or undefined where the query deserves none.
 */
export async function answerName(
  query: Uint8Array,
  internet: boolean,
  upstream: (query: Uint8Array) => Promise<Uint8Array> = askMachine,
): Promise<Uint8Array | undefined> {
  if (!internet) return emptyAnswer(query, NXDOMAIN)
  try {
    return await upstream(query)
  } catch {
    return emptyAnswer(query, SERVFAIL)
  }
}

/** Asks the machine's first resolver, as it is configured. @throws where none answers in time. */
export function askMachine(query: Uint8Array): Promise<Uint8Array> {
  const server = getServers()[0]
  if (server === undefined) return Promise.reject(new Error('The machine has no resolver.'))
  const { host, port } = splitServer(server)
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4')
  return new Promise<Uint8Array>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('The resolver did not answer.')), FORWARD_TIMEOUT_MS)
    const settle = (then: () => void): void => {
      clearTimeout(timer)
      then()
    }
    socket.on('error', (error) => settle(() => reject(error)))
    socket.on('message', (answer) => {
      if (answer[0] === query[0] && answer[1] === query[1]) settle(() => resolve(answer))
    })
    socket.send(query, port, host)
  }).finally(() => socket.close())
}

/**
 * DNS over TCP (RFC 7766): queries with a length in front, one after the other. The socket becomes ours.
 * @param answer as answerName.
 */
export function answerNamesOver(
  socket: Duplex,
  rest: Buffer,
  internet: () => boolean,
  answer: (query: Uint8Array, internet: boolean) => Promise<Uint8Array | undefined> = answerName,
): void {
  let bytes = rest
  let chain = Promise.resolve()
  let waiting = 0
  const take = (): void => {
    while (bytes.length >= 2 && bytes.length >= 2 + bytes.readUInt16BE(0)) {
      const query = bytes.subarray(2, 2 + bytes.readUInt16BE(0))
      bytes = bytes.subarray(2 + query.length)
      waiting += 1
      chain = chain.then(async () => {
        const found = await answer(query, internet())
        if (found === undefined) socket.destroy()
        else socket.write(Buffer.concat([Buffer.from([found.length >> 8, found.length & 0xff]), found]))
        waiting -= 1
        if (waiting < MAX_WAITING) socket.resume()
      })
    }
    // Who asks faster than is answered is read no further.
    if (waiting >= MAX_WAITING) socket.pause()
    if (bytes.length > MAX_QUERY_BYTES) socket.destroy()
  }
  socket.on('data', (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk])
    take()
  })
  socket.on('end', () => void chain.then(() => socket.end()))
  socket.resume()
  take()
}

function splitServer(server: string): { host: string; port: number } {
  const bracketed = /^\[(.+)\]:(\d+)$/.exec(server)
  if (bracketed !== null) return { host: bracketed[1] ?? '', port: Number(bracketed[2]) }
  const v4 = /^([\d.]+):(\d+)$/.exec(server)
  return v4 === null ? { host: server, port: 53 } : { host: v4[1] ?? '', port: Number(v4[2]) }
}
