import { DurableObject } from 'cloudflare:workers'
import { getContainer, getRandom, switchPort } from '@cloudflare/containers'
import { Hooked } from './hooked.ts'
import { Early, PlainObject } from './plain.ts'

export { ContainerProxy } from '@cloudflare/containers'
export { Early, Hooked, PlainObject as Plain }

/** A class of which only one object may have a container. */
export class Few extends PlainObject {}

/** Its image has an ENTRYPOINT. */
export class WithEntrypoint extends PlainObject {}

/** Its image is one static program, and its user is not root. */
export class Scratch extends PlainObject {}

/** Extends Container, and only one object of it may have a container. */
export class HookedFew extends Hooked {}

/** A class without a container. */
export class Bare extends DurableObject {
  async run(): Promise<string> {
    return JSON.stringify({ value: { container: typeof this.ctx.container, inCtx: this.ctx.container !== undefined } })
  }
}

type Classes = 'Plain' | 'Early' | 'Few' | 'WithEntrypoint' | 'Scratch' | 'Hooked' | 'HookedFew' | 'Bare'

type Env = Record<Classes, DurableObjectNamespace<Hooked>>

/**
 *     /<class>/<object>/run/<topic>/<sentence>?<args>&inside=1&keep=1    JSON of {value} or {error}
 *     /<class>/<object>/fetch/<path>                                     the object's fetch()
 *     /<class>/<object>/stdout?script=<script>                           what a process writes, which the object gave over RPC
 *     /<class>/<object>/port/<n>/<path>                                  the same, through switchPort
 *     /<class>/singleton, /<class>/random?n=<n>                          the name that getContainer, getRandom chose
 */
export default {
  async fetch(request, env): Promise<Response> {
    const url = new URL(request.url)
    const [className = '', name = '', how, ...rest] = url.pathname.split('/').slice(1).map(decodeURIComponent)
    const namespace = env[className as Classes]
    if (!namespace) return new Response(`no class ${className}`, { status: 404 })

    if (name === 'singleton') return new Response(getContainer(namespace).name ?? null)
    if (name === 'random') {
      const stub = await getRandom(namespace, Number(url.searchParams.get('n') ?? 3))
      return new Response(stub.name ?? null)
    }

    const stub = getContainer(namespace, name)
    if (how === 'run') {
      const { inside, keep, ...args } = Object.fromEntries(url.searchParams)
      const [topic = '', sentence = ''] = rest
      const run = stub.run as unknown as (...all: unknown[]) => Promise<string>
      const told = await run(topic, sentence, args, { inside, keep: keep !== undefined }).catch((error: unknown) =>
        JSON.stringify({ lost: String(error) }),
      )
      return new Response(told, { headers: { 'content-type': 'application/json' } })
    }
    if (how === 'stdout') {
      const stdout = (stub as unknown as Pick<PlainObject, 'stdout'>).stdout(url.searchParams.get('script') ?? '')
      return new Response(await stdout)
    }
    if (how === 'port') {
      url.pathname = `/${rest.slice(1).join('/')}`
      return stub.fetch(switchPort(new Request(url, request), Number(rest[0])))
    }
    url.pathname = `/${rest.join('/')}`
    return stub.fetch(new Request(url, request))
  },
} satisfies ExportedHandler<Env>
