/** An engine that answers what a test wants, on a unix socket. */

import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'

export const VERSION = { Version: '20.10.24', ApiVersion: '1.41', MinAPIVersion: '1.12', Os: 'linux', Arch: 'amd64' }

export interface StandIn extends AsyncDisposable {
  readonly address: { readonly socketPath: string }
  readonly server: Server
  /** Connections accepted so far. */
  readonly connections: () => number
}

/** Starts one. `/version` is answered; the rest is the test's. */
export async function standIn(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  upgrade?: (request: IncomingMessage, socket: Duplex) => void,
): Promise<StandIn> {
  const folder = await mkdtemp(join(tmpdir(), 'moorage-engine-'))
  let connections = 0
  const server = createServer((request, response) => {
    if (request.url === '/version') response.end(JSON.stringify(VERSION))
    else answer(request, response)
  })
  server.on('connection', () => connections++)
  const upgraded: Duplex[] = []
  server.on('upgrade', (_, socket) => upgraded.push(socket))
  if (upgrade) server.on('upgrade', upgrade)
  const socketPath = join(folder, 'engine.sock')
  server.listen(socketPath)
  await once(server, 'listening')
  return {
    address: { socketPath },
    server,
    connections: () => connections,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      for (const socket of upgraded) socket.destroy()
      server.close()
      await once(server, 'close')
      await rm(folder, { recursive: true })
    },
  }
}
