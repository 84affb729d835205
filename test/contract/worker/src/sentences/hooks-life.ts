import { until } from '../tell.ts'
import { configure, type HookSentence, hooksSeen, json, text } from './hooks-ask.ts'

/** The state that the class keeps, what it answers, and steps of sentences that take several requests. */
export const hooksLife: Record<string, HookSentence> = {
  async states(o) {
    const states: string[] = [(await o.getState()).status]
    await o.startAndWaitForPorts()
    states.push((await o.getState()).status)
    await text(o, 'exit?code=4')
    await until('the state says so', async () => (await o.getState()).status === 'stopped_with_code').catch(() => {})
    const stopped = (await o.getState()) as { status: string; exitCode?: number }
    states.push(stopped.status)
    await o.seen('onStop')
    await until('the state is stopped', async () => (await o.getState()).status === 'stopped')
    states.push((await o.getState()).status)
    return { states, exitCode: stopped.exitCode }
  },

  async startsOnce(o) {
    const boots = await Promise.all([1, 2, 3, 4].map(async () => (await json<{ boot: string }>(o, 'boot')).boot))
    return { same: new Set(boots).size, running: o.raw.running }
  },

  async startsAgain(o) {
    const first = await json<{ boot: string }>(o, 'boot')
    await text(o, 'exit?code=1')
    await o.seen('onStop')
    const second = await json<{ boot: string }>(o, 'boot')
    return { another: first.boot !== second.boot, starts: hooksSeen(o).filter((hook) => hook === 'onStart').length }
  },

  async cannotStartAnswer(o) {
    configure(o, { entrypoint: ['/no/such/executable'] })
    const answer = await o.containerFetch('http://container/health', 8080)
    return { status: answer.status, text: await answer.text() }
  },

  async crashesWhileAnswering(o) {
    await o.startAndWaitForPorts()
    const answer = o.containerFetch('http://container/hang?name=x', 8080)
    await until(
      'the server has the request',
      async () => (await json<{ bytes: number }>(o, 'progress?name=x')).bytes === 1,
    )
    o.raw.signal(9)
    const { status } = await answer
    return { status, text: await (await answer).text() }
  },

  async boot(o) {
    return (await json<{ boot: string }>(o, 'boot')).boot
  },

  async destroy(o) {
    await o.raw.destroy()
  },

  moments: (o) => o.moments().map(({ hook }) => hook),

  running: (o) => o.raw.running,

  async start(o) {
    await o.startAndWaitForPorts()
  },

  abort(o) {
    o.abort()
  },

  async keepsAfterAbort(o) {
    await o.raw.setInactivityTimeout(20_000)
  },

  async end(o) {
    await text(o, 'exit?code=8')
    const { exitCode } = await o.seen('onStop')
    return exitCode
  },
}
