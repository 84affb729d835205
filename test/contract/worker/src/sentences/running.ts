import { IDLE } from '../plain.ts'
import { until } from '../tell.ts'
import type { Sentences } from './index.ts'

export const running: Sentences = {
  beforeStart: (o) => o.container.running,

  asStartReturns(o) {
    o.container.start({ entrypoint: IDLE })
    return o.container.running
  },

  async afterTheEnd(o) {
    o.container.start({ entrypoint: ['sh', '-c', 'exit 0'] })
    await until('running is false', () => !o.container.running)
    return o.container.running
  },

  async afterTheEndWithMonitor(o) {
    o.container.start({ entrypoint: ['sh', '-c', 'exit 3'] })
    await o.container.monitor().catch(() => {})
    return o.container.running
  },

  async isReadOnly(o) {
    try {
      ;(o.container as { running: boolean }).running = true
    } catch {
      // Whether the assignment throws is not part of the specification.
    }
    return o.container.running
  },
}
