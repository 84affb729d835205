import { IDLE } from '../plain.ts'
import { outcome } from '../tell.ts'
import type { Sentences } from './index.ts'

export const port: Sentences = {
  async outOfRange(o, { number }) {
    return outcome(() => {
      o.container.getTcpPort(Number(number))
      return 'given'
    })
  },

  neverStarted: (o) =>
    outcome(() => {
      const given = o.container.getTcpPort(8080)
      return [typeof given.fetch, typeof given.connect]
    }),

  async coerces(o) {
    await o.boot()
    const answer = await o.container.getTcpPort('8080' as unknown as number).fetch('http://container/health')
    return answer.text()
  },

  /** Taken before the start, used after it, and after another start. */
  async isKept(o) {
    const kept = o.container.getTcpPort(8080)
    await o.boot()
    const first = await (await kept.fetch('http://container/health')).text()
    await o.container.destroy()
    await o.boot()
    return [first, await (await kept.fetch('http://container/health')).text()]
  },

  async relativeUrl(o) {
    await o.boot()
    return outcome(() => o.container.getTcpPort(8080).fetch('/health'))
  },

  async https(o) {
    await o.boot()
    return outcome(() => o.container.getTcpPort(8080).fetch('https://container/health'))
  },

  async nothingListens(o) {
    await o.boot()
    const started = Date.now()
    const answer = await outcome(() => o.container.getTcpPort(8081).fetch('http://container/'))
    return { ...answer, quick: Date.now() - started < 1000 }
  },

  /** The app runs and has not come so far as to listen. */
  async notYet(o) {
    o.container.start({ entrypoint: IDLE })
    return outcome(() => o.container.getTcpPort(8080).fetch('http://container/'))
  },

  /** A sleeping container is no container: what the error says is left open. */
  async notRunning(o) {
    const answer = await outcome(() => o.container.getTcpPort(8080).fetch('http://container/'))
    return 'rejected' in answer
  },

  async listensOn(o, { host }) {
    await o.boot({ entrypoint: ['node', '/srv/probe.mjs', '--listen', `${host}:8090`] }, 8090)
    return (await o.get('health', 8090)).text()
  },

  async listensLate(o) {
    o.container.start({ entrypoint: ['node', '/srv/probe.mjs', '--after', '300'] })
    const early = await outcome(() => o.get('health'))
    await o.ready()
    return { early: 'rejected' in early, late: await (await o.get('health')).text() }
  },

  async severalPorts(o) {
    await o.boot({
      entrypoint: ['node', '/srv/probe.mjs', '--listen', '8080', '--listen', '9090', '--listen', '65535'],
    })
    return Promise.all([8080, 9090, 65535].map(async (n) => (await o.get('health', n)).text()))
  },
}
