/** What every loopback server of ours has in common: no time limits of Node's, and an end to all connections at once. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

/** An HTTP server that listens on loopback; owned by who made it. */
export class Loopback {
  readonly server: Server
  readonly #sockets = new Set<Socket>()

  constructor() {
    this.server = createServer({ keepAlive: true, noDelay: true, highWaterMark: 262_144 })
    this.server.requestTimeout = 0
    this.server.headersTimeout = 0
    this.server.timeout = 0
    this.server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
    })
    this.server.on('clientError', (_, socket) => socket.destroy())
  }

  /** Listens on a free port and resolves with it. */
  async listen(): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject)
      this.server.listen(0, '127.0.0.1', resolve)
    })
    return (this.server.address() as AddressInfo).port
  }

  /** Ends every connection. */
  close(): void {
    this.server.close()
    for (const socket of this.#sockets) socket.destroy()
  }
}
