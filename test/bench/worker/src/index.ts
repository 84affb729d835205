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
    // What it is compared with may take longer than an idle object stays in memory.
    void this.container.setInactivityTimeout(600_000)
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

/** What exec costs. */
class Exec extends Bench {
  /** `count` processes, one after the other, until exitCode. */
  async execs(count: number): Promise<number> {
    const start = Date.now()
    for (let i = 0; i < count; i++) await (await this.container.exec(['true'])).exitCode
    return Date.now() - start
  }

  /** The same, all at once. */
  async execsAtOnce(count: number): Promise<number> {
    const start = Date.now()
    await Promise.all(Array.from({ length: count }, async () => (await this.container.exec(['true'])).exitCode))
    return Date.now() - start
  }

  /** Reads what a process writes on stdout, or on stderr. */
  async readOut(mib: number, stream: 'stdout' | 'stderr' = 'stdout'): Promise<number> {
    const start = Date.now()
    const to = stream === 'stderr' ? ' >&2' : ''
    const process = await this.container.exec(['sh', '-c', `head -c ${mib * MIB} /dev/zero${to}`])
    await all(process[stream], mib)
    await process.exitCode
    return Date.now() - start
  }

  /** Two processes, one on each stream: at once, or one after the other. */
  async readTwo(mib: number, atOnce: boolean): Promise<number> {
    const start = Date.now()
    if (atOnce) await Promise.all([this.readOut(mib, 'stdout'), this.readOut(mib, 'stderr')])
    else {
      await this.readOut(mib, 'stdout')
      await this.readOut(mib, 'stderr')
    }
    return Date.now() - start
  }

  /** Writes into a process that counts what it reads. */
  async writeIn(mib: number): Promise<number> {
    const start = Date.now()
    const process = await this.container.exec(['wc', '-c'], { stdin: 'pipe' })
    const writer = process.stdin?.getWriter()
    const chunk = new Uint8Array(MIB / 4)
    for (let i = 0; i < mib * 4; i++) await writer?.write(chunk)
    await writer?.close()
    const { stdout } = await process.output()
    if (Number(new TextDecoder().decode(stdout)) !== mib * MIB) throw new Error('not all of it arrived')
    return Date.now() - start
  }

  #stalled: ReadableStreamDefaultReader<Uint8Array> | undefined

  /** Starts to read what a process would like to write, and stops. */
  async stall(mib: number): Promise<number> {
    const process = await this.container.exec(['head', '-c', String(mib * MIB), '/dev/zero'])
    this.#stalled = process.stdout?.getReader()
    await this.#stalled?.read()
    return process.pid
  }

  async unstall(): Promise<void> {
    await this.#stalled?.cancel()
  }
}

const MIB = 1_048_576

async function all(stream: ReadableStream<Uint8Array> | null | undefined, mib: number): Promise<void> {
  let bytes = 0
  for await (const chunk of stream ?? []) bytes += chunk.byteLength
  if (bytes !== mib * MIB) throw new Error(`${bytes} bytes came`)
}

export class Small extends Exec {}
export class Node extends Exec {}

interface Env {
  Small: DurableObjectNamespace<Small>
  Node: DurableObjectNamespace<Node>
}

/** `/<class>/<object>/<method>?<args>`: JSON of what the method gives. */
export default {
  async fetch(request, env): Promise<Response> {
    const url = new URL(request.url)
    const [className, name = '', method] = url.pathname.split('/').slice(1)
    const stub = (className === 'Node' ? env.Node : env.Small).getByName(name) as DurableObjectStub<Small>
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
      case 'execs':
        return Response.json(await stub.execs(query('count')))
      case 'execsAtOnce':
        return Response.json(await stub.execsAtOnce(query('count')))
      case 'readOut':
        return Response.json(await stub.readOut(query('mib')))
      case 'readTwo':
        return Response.json(await stub.readTwo(query('mib'), url.searchParams.get('atOnce') === 'true'))
      case 'writeIn':
        return Response.json(await stub.writeIn(query('mib')))
      case 'stall':
        return Response.json(await stub.stall(query('mib')))
      case 'unstall':
        await stub.unstall()
        return Response.json(null)
      default:
        return new Response('nothing here', { status: 404 })
    }
  },
} satisfies ExportedHandler<Env>
