import { env } from 'cloudflare:workers'
import type { Sentences } from './index.ts'

export const environment: Sentences = {
  async fromTheImage(o) {
    return (await o.boot()).env.FROM_IMAGE
  },

  async fromStart(o) {
    const env = {
      OVERRIDDEN: 'start',
      EMPTY: '',
      SPACED: ' a b ',
      LINES: 'one\ntwo',
      EQUALS: 'a=b=c',
      UNICODE: 'naïve ✓',
    }
    const seen = (await o.boot({ env })).env
    return Object.fromEntries(Object.keys(env).map((name) => [name, seen[name]]))
  },

  async cloudflare(o) {
    const { env } = await o.boot()
    return Object.keys(env)
      .filter((name) => name.startsWith('CLOUDFLARE_'))
      .sort()
  },

  async cannotBeOverridden(o) {
    const { env } = await o.boot({ env: { CLOUDFLARE_DURABLE_OBJECT_ID: 'mine', CLOUDFLARE_REGION: 'mine' } })
    return { id: env.CLOUDFLARE_DURABLE_OBJECT_ID !== 'mine', region: env.CLOUDFLARE_REGION !== 'mine' }
  },

  async objectId(o) {
    const { env } = await o.boot()
    return env.CLOUDFLARE_DURABLE_OBJECT_ID === o.state.id.toString()
  },

  /** Of the Worker, not of the container. */
  async bindings() {
    return Object.keys(env).sort()
  },
}
