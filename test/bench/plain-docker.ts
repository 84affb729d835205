/** What is compared with: containers that the docker client runs, on a bridge network of their own. */
import { randomBytes } from 'node:crypto'
import http from 'node:http'
import { docker } from '../support/left.ts'
import { took } from './interleave.ts'

/** Runs containers of one image. Disposing it removes them and the network. */
export class PlainDocker implements AsyncDisposable {
  readonly image: string
  readonly #network: string
  readonly #ids = new Set<string>()

  private constructor(image: string, network: string) {
    this.image = image
    this.#network = network
  }

  static async on(image: string): Promise<PlainDocker> {
    const network = `plain-docker-${randomBytes(4).toString('hex')}`
    await docker(['network', 'create', network])
    return new PlainDocker(image, network)
  }

  /** `docker run -d` until port 8080 answers, in ms. */
  run = async (): Promise<number> => {
    let id = ''
    const time = await took(async () => {
      id = await docker(['run', '--detach', '--network', this.#network, this.image])
      this.#ids.add(id)
      const address = await docker([
        'inspect',
        '--format',
        '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}',
        id,
      ])
      await answers(address)
    })
    await this.#remove([id])
    return time
  }

  /** The same, `count` at once, until the last answers. */
  runMany = async (count: number): Promise<number> => {
    const ids: string[] = []
    const time = await took(() =>
      Promise.all(
        Array.from({ length: count }, async () => {
          const id = await docker(['run', '--detach', '--network', this.#network, this.image])
          this.#ids.add(id)
          ids.push(id)
          const format = '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}'
          await answers(await docker(['inspect', '--format', format, id]))
        }),
      ),
    )
    await this.#remove(ids)
    return time
  }

  async #remove(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return
    await docker(['rm', '--force', ...ids])
    for (const id of ids) this.#ids.delete(id)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#remove([...this.#ids])
    await docker(['network', 'rm', this.#network])
  }
}

/** Waits until the web server of a container answers. */
async function answers(address: string): Promise<void> {
  for (const until = Date.now() + 10_000; Date.now() < until; ) {
    const ok = await new Promise<boolean>((resolve) => {
      http
        .get({ host: address, port: 8080, path: '/index.html', agent: false }, (response) => {
          response.resume()
          response.on('end', () => resolve(true))
        })
        .on('error', () => resolve(false))
    })
    if (ok) return
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  throw new Error(`${address} did not answer.`)
}
