import { Container, getContainer, getRandom, switchPort } from '@cloudflare/containers'

interface Env {
  QUOTES: DurableObjectNamespace<Quotes>
}

/** A moment in the life of a shelf, as its hooks saw it. */
interface Moment {
  at: number
  what: string
}

/** A shelf of quotes: one Durable Object, one container. */
export class Quotes extends Container<Env> {
  defaultPort = 8080
  requiredPorts = [8080, 9090]
  pingEndpoint = 'quotes/health'
  sleepAfter = '4s'
  enableInternet = false
  labels = { app: 'quotes' }
  envVars = { SHELF: this.ctx.id.name ?? 'unnamed' }

  override async onStart(): Promise<void> {
    const health = await this.ctx.container?.getTcpPort(8080).fetch('http://quotes/health')
    this.note(`onStart: the container is up and says ${await health?.text()}`)
    await this.schedule(1, 'report', { unit: 'quotes' })
  }

  override onStop({ exitCode, reason }: { exitCode: number; reason: string }): void {
    this.note(`onStop: exit code ${exitCode}, reason ${reason}`)
  }

  override onError(error: unknown): void {
    this.note(`onError: ${error instanceof Error ? error.message : String(error)}`)
  }

  override async onActivityExpired(): Promise<void> {
    this.note('onActivityExpired: nobody has asked for a while')
    await this.stop()
  }

  /** Scheduled by onStart: how much was read so far. */
  async report({ unit }: { unit: string }): Promise<void> {
    if (!this.ctx.container?.running) return
    const metrics = await this.ctx.container.getTcpPort(9090).fetch('http://quotes/metrics')
    const { served } = await metrics.json<{ served: number }>()
    this.note(`report: ${served} ${unit} served`)
  }

  /** What the hooks of this shelf have seen, oldest first. */
  history(): Moment[] {
    return this.ctx.storage.kv.get<Moment[]>('history') ?? []
  }

  /** Ends the container; the next request starts it again. */
  async restart(): Promise<void> {
    await this.stop()
  }

  private note(what: string): void {
    console.log(`[${this.ctx.id.name ?? this.ctx.id}] ${what}`)
    this.ctx.storage.kv.put('history', [...this.history(), { at: Date.now(), what }].slice(-100))
  }
}

const usage = `Quotes

GET  /quotes/<id>            a quote from any of three shelves
GET  /shelf/<name>/<path>    the same shelf each time: quotes/<id>, count, slow, ws
GET  /shelf/<name>/metrics   what it has served, from its second port
GET  /shelf/<name>/history   what its hooks have seen
POST /shelf/<name>/restart   ends its container
`

export default {
  async fetch(request, env): Promise<Response> {
    const url = new URL(request.url)
    const [first, name, ...rest] = url.pathname.split('/').filter(Boolean)

    if (first === 'quotes') {
      const shelf = await getRandom(env.QUOTES, 3)
      return shelf.fetch(request)
    }

    if (first === 'shelf' && name) {
      const shelf = getContainer(env.QUOTES, name)
      url.pathname = `/${rest.join('/')}`
      const inside = new Request(url, request)

      if (rest[0] === 'history') return Response.json(await shelf.history())
      if (rest[0] === 'metrics') return shelf.fetch(switchPort(inside, 9090))
      if (rest[0] === 'restart' && request.method === 'POST') {
        await shelf.restart()
        return new Response(null, { status: 204 })
      }
      return shelf.fetch(inside)
    }

    return new Response(usage, { status: first === undefined ? 200 : 404 })
  },
} satisfies ExportedHandler<Env>
