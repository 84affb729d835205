/** A way to the engine that can be shut: what goes through it sees an engine that has gone, and the engine itself goes on. */
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export class EngineProxy implements AsyncDisposable {
  /** As in DOCKER_HOST. */
  readonly host: string
  readonly #folder: string
  readonly #sockets = new Set<Socket>()
  #server: Server | undefined

  private constructor(folder: string) {
    this.#folder = folder
    this.host = `unix://${join(folder, 'engine.sock')}`
  }

  /** Makes it, shut. */
  static async make(): Promise<EngineProxy> {
    return new EngineProxy(await mkdtemp(join(tmpdir(), 'mrg-proxy-')))
  }

  async open(): Promise<void> {
    const engine = (process.env.DOCKER_HOST ?? 'unix:///var/run/docker.sock').replace(/^unix:\/\//, '')
    // Half-closed both ways: the engine's attach relies on it.
    const server = createServer({ allowHalfOpen: true }, (near) => {
      const far = connect({ path: engine, allowHalfOpen: true })
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(from)
        from.pipe(to)
        from.on('error', () => to.destroy())
        from.on('close', () => {
          this.#sockets.delete(from)
          to.destroy()
        })
      }
    })
    await new Promise<void>((listening) => server.listen(join(this.#folder, 'engine.sock'), listening))
    this.#server = server
  }

  /** Ends every connection, and takes no more. */
  async shut(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    for (const socket of this.#sockets) socket.destroy()
    await new Promise<void>((closed) => (server === undefined ? closed() : server.close(() => closed())))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shut()
    await rm(this.#folder, { recursive: true, force: true })
  }
}
