import { DurableObject } from 'cloudflare:workers'
import { answer } from './answer.ts'
import { sentences } from './sentences/index.ts'
import { tell, until } from './tell.ts'

export interface RunOptions {
  /** Runs the sentence inside blockConcurrencyWhile, or a storage transaction. */
  inside?: 'block' | 'transaction'
  /** Leaves the container as it is, for a sentence that takes several requests. */
  keep: boolean
}

/** What the container's server says about itself. */
export interface Boot {
  boot: string
  pid: number
  argv: string[]
  cwd: string
  uid: number
  env: Record<string, string>
  addresses: string[]
}

/** An entrypoint that does nothing for long, and as PID 1 without a handler ignores TERM. */
export const IDLE = ['sleep', '1000']

/** A Durable Object that uses `ctx.container` directly. Exported under another name than its own. */
export class PlainObject extends DurableObject {
  readonly instance = crypto.randomUUID()
  readonly runningInConstructor = this.ctx.container?.running

  get state(): DurableObjectState {
    return this.ctx
  }

  get container(): Container {
    if (!this.ctx.container) throw new Error('there is no ctx.container')
    return this.ctx.container
  }

  /** Runs one sentence and gives JSON of `{value}` or `{error}`. */
  async run(topic: string, name: string, args: Record<string, string>, options: RunOptions): Promise<string> {
    const sentence = sentences[topic]?.[name]
    const work = async (): Promise<string> => {
      try {
        if (!sentence) throw new Error(`no sentence ${topic}.${name}`)
        return JSON.stringify({ value: (await sentence(this, args)) ?? null })
      } catch (error) {
        return JSON.stringify({ error: tell(error) })
      }
    }
    try {
      if (options.inside === 'block') return await this.ctx.blockConcurrencyWhile(work)
      if (options.inside === 'transaction') return await this.ctx.storage.transaction(work)
      return await work()
    } finally {
      if (!options.keep) await this.ctx.container?.destroy()
    }
  }

  /**
   * `/exec/<way>?cmd=<script>`: what a process writes, as the answer's body. Otherwise a WebSocket that may hibernate:
   * whatever it is sent, it answers with what `life.look` tells.
   */
  override async fetch(request: Request): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url)
    const [, topic, way = ''] = pathname.split('/')
    if (topic === 'exec') return answer(this, way, searchParams.get('script') ?? '')
    const { 0: client, 1: server } = new WebSocketPair()
    this.ctx.acceptWebSocket(server)
    return new Response(null, { status: 101, webSocket: client })
  }

  /** What a process writes, over RPC. */
  async stdout(script: string): Promise<ReadableStream | null> {
    if (!this.container.running) this.container.start({ entrypoint: IDLE })
    return (await this.container.exec(['sh', '-c', script])).stdout
  }

  override async webSocketMessage(socket: WebSocket): Promise<void> {
    socket.send(JSON.stringify(await sentences.life?.look?.(this, {})))
  }

  /** One request to the container's server. */
  async get(path: string, port = 8080): Promise<Response> {
    return this.container.getTcpPort(port).fetch(`http://container/${path}`)
  }

  /** Waits until a port answers. */
  async ready(port = 8080): Promise<void> {
    await until(`port ${port} answers`, async () => {
      try {
        return (await (await this.get('health', port)).text()) === 'ok'
      } catch (error) {
        if (!this.container.running) throw new Error(`the container ended: ${error}`)
        return false
      }
    })
  }

  /** Starts the container, unless it runs already, and waits for its server; what it says about itself. */
  async boot(options?: ContainerStartupOptions, port = 8080): Promise<Boot> {
    if (!this.container.running) this.container.start(options)
    await this.ready(port)
    return (await this.get('boot', port)).json()
  }
}

/** Starts its container in the constructor, as the API page does, and asks it something before it is constructed. */
export class Early extends PlainObject {
  readonly found: { firstAnswer?: string } = {}

  constructor(ctx: DurableObjectState, env: unknown) {
    super(ctx, env as never)
    void ctx.blockConcurrencyWhile(async () => {
      if (!this.container.running) this.container.start()
      this.container.monitor().catch(() => {})
      await this.ready()
      this.found.firstAnswer = await (await this.get('health')).text()
    })
  }
}
