import { IDLE } from '../plain.ts'
import { outcome } from '../tell.ts'
import type { Sentences } from './index.ts'

export const destroy: Sentences = {
  neverStarted: (o) => outcome(() => o.container.destroy()),

  async stopped(o) {
    o.container.start({ entrypoint: ['sh', '-c', 'exit 0'] })
    await o.container.monitor()
    return outcome(() => o.container.destroy('too late'))
  },

  async running(o) {
    o.container.start({ entrypoint: IDLE })
    const answer = await outcome(() => o.container.destroy())
    return { ...answer, running: o.container.running }
  },

  async ignoresTerm(o) {
    await o.boot({ entrypoint: ['node', '/srv/probe.mjs', '--ignore-term'] })
    const answer = await outcome(() => o.container.destroy())
    return { ...answer, running: o.container.running }
  },

  async twice(o) {
    o.container.start({ entrypoint: IDLE })
    const both = await Promise.all([outcome(() => o.container.destroy()), outcome(() => o.container.destroy())])
    return { both, running: o.container.running }
  },

  async thenStart(o) {
    const first = await o.boot()
    await o.container.destroy()
    const second = await o.boot()
    return { another: first.boot !== second.boot, running: o.container.running }
  },

  /** Nothing of the old life answers once destroy() has resolved. */
  async endsItsPort(o) {
    await o.boot()
    await o.container.destroy()
    const answer = await outcome(() => o.get('health'))
    return 'rejected' in answer
  },

  /** A value given to a stopped container belongs to no life. */
  async valueIsNotKept(o) {
    await o.container.destroy('before')
    o.container.start({ entrypoint: ['sh', '-c', 'exit 4'] })
    return outcome(() => o.container.monitor())
  },

  /** start() and destroy() in one turn: the order is kept. */
  async rightAfterStart(o) {
    o.container.start({ entrypoint: IDLE })
    const monitored = outcome(() => o.container.monitor())
    await o.container.destroy('at once')
    return { monitor: await monitored, running: o.container.running }
  },
}
