import { Early, IDLE } from '../plain.ts'
import { outcome } from '../tell.ts'
import type { Sentences } from './index.ts'

/** Steps of sentences that take several requests: the instance goes away in between. */
export const life: Sentences = {
  look: (o) => ({
    instance: o.instance,
    runningInConstructor: o.runningInConstructor,
    running: o.container.running,
  }),

  async boot(o) {
    return (await o.boot()).boot
  },

  async whichBoot(o) {
    return ((await (await o.get('boot')).json()) as { boot: string }).boot
  },

  abort(o) {
    o.state.abort('the contract wants it')
  },

  inactivityTimeout: (o, { ms }) => outcome(() => o.container.setInactivityTimeout(Number(ms))),

  async inactivityTimeoutWhileRunning(o, { ms }) {
    o.container.start({ entrypoint: IDLE })
    return outcome(() => o.container.setInactivityTimeout(Number(ms)))
  },

  /** Keeps the instance: a monitor() that is pending. */
  monitorOn(o) {
    o.container.monitor().catch(() => {})
  },

  startOnly: (o) => outcome(() => o.container.start({ entrypoint: IDLE })),

  labels: async (o) => (await o.container.inspect())?.labels,

  monitor: (o) => outcome(() => o.container.monitor()),

  destroy: (o) => outcome(() => o.container.destroy()),

  firstAnswer: (o) => (o instanceof Early ? o.found.firstAnswer : null),

  hasContainer: (o) => o.state.container !== undefined,
}
