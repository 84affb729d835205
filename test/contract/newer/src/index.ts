import { DurableObject } from 'cloudflare:workers'

/** A class that the config's `exports` ties to a container. */
export class Newer extends DurableObject {
  get container(): Container {
    if (!this.ctx.container) throw new Error('there is no ctx.container')
    return this.ctx.container
  }

  /** What the container answers, started with the image of that name; without one as it is. */
  async which(name: string | null): Promise<string> {
    const image = name === null ? undefined : this.container.images[name]
    this.container.start(image === undefined ? undefined : { image })
    for (;;) {
      try {
        return await (await this.container.getTcpPort(8080).fetch('http://container/')).text()
      } catch (error) {
        if (!this.container.running) throw error
        await scheduler.wait(10)
      }
    }
  }

  names(): string[] {
    return Object.keys(this.container.images).sort()
  }

  async end(): Promise<void> {
    await this.container.destroy()
  }
}

/** Its container has several images. */
export class Several extends Newer {}

interface Env {
  Newer: DurableObjectNamespace<Newer>
  Several: DurableObjectNamespace<Several>
}

export default {
  async fetch(request, env): Promise<Response> {
    const url = new URL(request.url)
    const [className, name = '', method] = url.pathname.split('/').slice(1)
    const stub = (className === 'Several' ? env.Several : env.Newer).getByName(name)
    if (method === 'names') return Response.json(await stub.names())
    try {
      return new Response(await stub.which(url.searchParams.get('image')))
    } finally {
      await stub.end()
    }
  },
} satisfies ExportedHandler<Env>
