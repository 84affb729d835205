import { IDLE } from '../plain.ts'
import { outcome } from '../tell.ts'
import type { Sentences } from './index.ts'

export const start: Sentences = {
  async returnsNothing(o) {
    const answer = await outcome(() => o.container.start({ entrypoint: IDLE }))
    return answer
  },

  /** The moment start() returns, the app cannot have been started yet: nothing was awaited. */
  doesNotWait(o) {
    const returned = o.container.start({ entrypoint: IDLE })
    return { promise: (returned as unknown) instanceof Promise, running: o.container.running }
  },

  async twice(o) {
    o.container.start({ entrypoint: IDLE })
    return { second: await outcome(() => o.container.start()), running: o.container.running }
  },

  /** The second start's options must not reach the container that runs. */
  async twiceChangesNothing(o) {
    const first = await o.boot({ env: { WHICH: 'first' } })
    await outcome(() => o.container.start({ env: { WHICH: 'second' } }))
    const now = (await (await o.get('boot')).json()) as typeof first
    return { same: now.boot === first.boot, which: now.env.WHICH }
  },

  /** `options` is JSON: anything that start() should refuse. */
  async refuses(o, { options }) {
    const answer = await outcome(() => o.container.start(JSON.parse(options ?? '{}')))
    return { ...answer, running: o.container.running }
  },

  /** A refused start leaves nothing behind: the next one works. */
  async afterARefusal(o) {
    await outcome(() => o.container.start({ env: { '': 'x' } }))
    const { env } = await o.boot({ env: { GOOD: 'yes' } })
    return env.GOOD
  },

  async noSuchExecutable(o) {
    o.container.start({ entrypoint: ['/no/such/executable'] })
    const running = o.container.running
    return { running, monitor: await outcome(() => o.container.monitor()), after: o.container.running }
  },

  async noSuchImage(o) {
    o.container.start({ image: 'moorage-contract.invalid/none:none' } as ContainerStartupOptions)
    const running = o.container.running
    return { running, monitor: await outcome(() => o.container.monitor()), after: o.container.running }
  },

  async afterAFailure(o) {
    o.container.start({ entrypoint: ['/no/such/executable'] })
    await outcome(() => o.container.monitor())
    return (await o.boot()).pid
  },

  async entrypoint(o) {
    const { argv } = await o.boot({ entrypoint: ['node', '/srv/probe.mjs', '--mine', 'two words', '', '$HOME'] })
    return argv
  },

  async emptyEntrypoint(o) {
    return (await o.boot({ entrypoint: [] })).argv
  },

  async ownCommand(o) {
    const { argv, cwd } = await o.boot()
    return { argv, cwd }
  },

  /** On a class whose image has ENTRYPOINT and CMD. */
  async replacesTheCommand(o) {
    return (await o.boot({ entrypoint: ['--from-start', '--listen', '8080'] })).argv
  },

  async pid(o) {
    return (await o.boot()).pid
  },

  async coerces(o) {
    const options = { env: { NUMBER: 5, TRUE: true }, entrypoint: ['node', '/srv/probe.mjs', 7], enableInternet: 0 }
    const { env, argv } = await o.boot(options as unknown as ContainerStartupOptions)
    return { NUMBER: env.NUMBER, TRUE: env.TRUE, argv }
  },

  async freshFileSystem(o) {
    await o.boot()
    await o.get('write?path=/srv/left-behind')
    const before = (await o.get('read?path=/srv/left-behind')).status
    await o.container.destroy()
    await o.boot()
    return { before, after: (await o.get('read?path=/srv/left-behind')).status }
  },

  async notRestarted(o) {
    const first = await o.boot()
    await o.get('exit?code=3')
    const end = await outcome(() => o.container.monitor())
    const answer = await outcome(() => o.get('health'))
    return { pid: first.pid, end, running: o.container.running, answered: 'resolved' in answer }
  },

  async again(o) {
    const first = await o.boot()
    await o.get('exit?code=0')
    await o.container.monitor()
    const second = await o.boot()
    return first.boot !== second.boot
  },

  async limits(o, { instance }) {
    await o.boot({ instance: JSON.parse(instance ?? '"lite"') } as ContainerStartupOptions)
    for (const path of ['/sys/fs/cgroup/memory.max', '/sys/fs/cgroup/memory/memory.limit_in_bytes']) {
      const answer = await o.get(`read?path=${path}`)
      if (answer.ok) return Number(((await answer.json()) as { text: string }).text)
    }
    return null
  },
}
