import { IDLE } from '../plain.ts'
import { outcome, pending, show, until } from '../tell.ts'
import type { Sentences } from './index.ts'

const exits = (code: number): { entrypoint: string[] } => ({ entrypoint: ['sh', '-c', `exit ${code}`] })

export const monitor: Sentences = {
  beforeStart: (o) => outcome(() => o.container.monitor()),

  async exitZero(o) {
    o.container.start(exits(0))
    return outcome(() => o.container.monitor())
  },

  async exitSeven(o) {
    o.container.start(exits(7))
    try {
      return await o.container.monitor()
    } catch (error) {
      return {
        isError: error instanceof Error,
        message: (error as Error).message,
        exitCode: (error as { exitCode?: unknown }).exitCode,
      }
    }
  },

  async whileItRuns(o) {
    o.container.start({ entrypoint: IDLE })
    return pending(o.container.monitor())
  },

  async plainDestroy(o) {
    o.container.start({ entrypoint: IDLE })
    const monitored = outcome(() => o.container.monitor())
    await o.container.destroy()
    return monitored
  },

  async killed(o) {
    o.container.start({ entrypoint: IDLE })
    o.container.signal(9)
    return outcome(() => o.container.monitor())
  },

  async laterCaller(o) {
    o.container.start(exits(7))
    const first = await outcome(() => o.container.monitor())
    await until('it has ended', () => !o.container.running)
    return { first, later: await outcome(() => o.container.monitor()) }
  },

  /** Nobody asked while it ran. */
  async onlyLaterCaller(o) {
    o.container.start(exits(5))
    await until('it has ended', () => !o.container.running)
    return outcome(() => o.container.monitor())
  },

  async severalCallers(o) {
    o.container.start(exits(7))
    return Promise.all([1, 2, 3].map(() => outcome(() => o.container.monitor())))
  },

  async identity(o) {
    const value = { anything: ['at', 'all'] }
    o.container.start({ entrypoint: IDLE })
    const monitored = o.container.monitor().then(
      () => 'resolved',
      (error) => error === value,
    )
    await o.container.destroy(value)
    return monitored
  },

  async destroyValue(o, { value }) {
    o.container.start({ entrypoint: IDLE })
    const monitored = outcome(() => o.container.monitor())
    await o.container.destroy(value === 'undefined' ? undefined : JSON.parse(value ?? 'null'))
    return monitored
  },

  async firstDestroyWins(o) {
    o.container.start({ entrypoint: IDLE })
    const monitored = outcome(() => o.container.monitor())
    await Promise.all([o.container.destroy('first'), o.container.destroy('second')])
    return monitored
  },

  async valueToTheFirstCaller(o) {
    o.container.start({ entrypoint: IDLE })
    const first = outcome(() => o.container.monitor())
    const second = outcome(() => o.container.monitor())
    await o.container.destroy('mine')
    return { first: await first, second: await second, later: await outcome(() => o.container.monitor()) }
  },

  async lateResult(o) {
    o.container.start({ entrypoint: IDLE })
    const first = outcome(() => o.container.monitor())
    await o.container.destroy('first life')
    o.container.start({ entrypoint: IDLE })
    const second = o.container.monitor()
    second.catch(() => {})
    return { first: await first, secondPending: await pending(second), running: o.container.running }
  },

  /** Each life has its own outcome. */
  async lifeAfterLife(o) {
    const told = []
    for (const code of [1, 0, 2]) {
      o.container.start(exits(code))
      told.push(await outcome(() => o.container.monitor()))
    }
    return told
  },

  /** Called in an instance that did not start the container. */
  async adopted(o) {
    const runningInConstructor = o.runningInConstructor
    const monitored = outcome(() => o.container.monitor())
    await o.get('exit?code=6')
    return { runningInConstructor, monitor: show(await monitored) }
  },
}
