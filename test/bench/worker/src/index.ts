// What the benchmarks measure from inside: times in the answers are milliseconds of the Worker's own clock.
import { DurableObject } from 'cloudflare:workers'

type Fetch = () => Promise<Response>

/** Reads an answer to its end; its length in bytes. */
async function length(response: Response): Promise<number> {
  let bytes = 0
  for await (const chunk of response.body ?? []) bytes += (chunk as Uint8Array).byteLength
  return bytes
}

/** Fetches one after the other; the time that each took. */
async function times(count: number, fetch: Fetch): Promise<number[]> {
  const took: number[] = []
  for (let i = 0; i < count; i++) {
    const start = Date.now()
    await length(await fetch())
    took.push(Date.now() - start)
  }
  return took
}

class Bench extends DurableObject {
  get container(): Container {
    if (!this.ctx.container) throw new Error('there is no container')
    return this.ctx.container
  }

  get = (path: string): Promise<Response> => this.container.getTcpPort(8080).fetch(`http://bench/${path}`)

  /** start() until the port answers. */
  async start(): Promise<number> {
    const start = Date.now()
    this.container.start()
    for (;;) {
      try {
        await length(await this.get('index.html'))
        return Date.now() - start
      } catch (error) {
        if (!this.container.running) throw error
        await scheduler.wait(1)
      }
    }
  }

  /** destroy() and start() until the port answers. */
  async again(): Promise<number> {
    const start = Date.now()
    await this.container.destroy()
    await this.start()
    return Date.now() - start
  }

  destroy(): Promise<void> {
    return this.container.destroy()
  }

  /** `count` bodies of `bytes` bytes, one after the other; from the container, or from a server on loopback. */
  async bodies(count: number, bytes: number, loopback: string | null): Promise<{ tookMs: number; each: number[] }> {
    const get: Fetch = loopback ? () => fetch(`${loopback}/${bytes}`) : () => this.get(String(bytes))
    const start = Date.now()
    const each = await times(count, get)
    return { tookMs: Date.now() - start, each }
  }
}

export class Small extends Bench {}
export class Node extends Bench {}

interface Env {
  Small: DurableObjectNamespace<Small>
  Node: DurableObjectNamespace<Node>
}

/** `/<class>/<object>/<method>?<args>`: JSON of what the method gives. */
export default {
  async fetch(request, env): Promise<Response> {
    const url = new URL(request.url)
    const [className, name = '', method] = url.pathname.split('/').slice(1)
    const stub = (className === 'Node' ? env.Node : env.Small).getByName(name)
    const query = (key: string) => Number(url.searchParams.get(key))
    switch (method) {
      case 'start':
        return Response.json(await stub.start())
      case 'again':
        return Response.json(await stub.again())
      case 'destroy':
        await stub.destroy()
        return Response.json(null)
      case 'bodies':
        return Response.json(await stub.bodies(query('count'), query('bytes'), url.searchParams.get('loopback')))
      default:
        return new Response('nothing here', { status: 404 })
    }
  },
} satisfies ExportedHandler<Env>
