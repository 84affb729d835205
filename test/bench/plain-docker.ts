/** What is compared with: containers that the docker client runs, on a bridge network of their own. */
import { randomBytes } from 'node:crypto'
import http from 'node:http'
import { docker } from '../support/left.ts'
import { took } from './interleave.ts'

const ADDRESS = '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}'

/** Runs containers of one image. Disposing it removes them and the network. */
export class PlainDocker implements AsyncDisposable {
  readonly image: string
  /** The name of the network, and a label of all its containers. */
  readonly #name: string

  private constructor(image: string, name: string) {
    this.image = image
    this.#name = name
  }

  static async on(image: string): Promise<PlainDocker> {
    const name = `plain-docker-${randomBytes(4).toString('hex')}`
    await docker(['network', 'create', name])
    return new PlainDocker(image, name)
  }

  /** `docker run -d` until port 8080 answers, in ms. */
  run = async (): Promise<number> => this.runMany(1)

  /** The same, `count` at once, until the last answers. */
  runMany = async (count: number): Promise<number> => {
    const time = await took(() => Promise.all(Array.from({ length: count }, () => this.#runOne())))
    await this.#removeAll()
    return time
  }

  async #runOne(): Promise<void> {
    const id = await docker(['run', '--detach', '--network', this.#name, '--label', this.#name, this.image])
    await answers(await docker(['inspect', '--format', ADDRESS, id]))
  }

  async #removeAll(): Promise<void> {
    const ids = (await docker(['ps', '--all', '--quiet', '--filter', `label=${this.#name}`]))
      .split('\n')
      .filter(Boolean)
    if (ids.length > 0) await docker(['rm', '--force', ...ids])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#removeAll()
    await docker(['network', 'rm', this.#name])
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
