import { outcome, until } from '../tell.ts'
import { configure, type HookSentence, hooksSeen, hurry, json, text } from './hooks-ask.ts'
import { hooksLife } from './hooks-life.ts'

export const hooks: Record<string, HookSentence> = {
  ...hooksLife,

  async onStart(o) {
    await o.startAndWaitForPorts()
    return o.moments().map(({ hook, running }) => ({ hook, running }))
  },

  /** onStart runs inside blockConcurrencyWhile: its own container must answer there. */
  async onStartFetches(o) {
    o.doOnStart = async () => {
      const answer = await o.raw.getTcpPort(8080).fetch('http://container/health')
      return { answer: await answer.text() }
    }
    await o.startAndWaitForPorts()
    return (await o.seen('onStart')).answer
  },

  async onStartThrows(o) {
    o.doOnStart = async () => {
      throw new Error('onStart does not want to')
    }
    return outcome(() => o.startAndWaitForPorts())
  },

  async startWithoutPorts(o) {
    configure(o, { entrypoint: ['sleep', '1000'] })
    await o.start()
    return { hooks: hooksSeen(o), state: (await o.getState()).status, running: o.raw.running }
  },

  async onStopWithCode(o, { code }) {
    await o.startAndWaitForPorts()
    await text(o, `exit?code=${code}`)
    const { exitCode, reason, running } = await o.seen('onStop')
    return { exitCode, reason, running, hooks: hooksSeen(o) }
  },

  async onStopAfterStop(o) {
    configure(o, { entrypoint: ['node', '/srv/probe.mjs', '--term-code', '0'] })
    await o.startAndWaitForPorts()
    await o.stop()
    const { exitCode, reason } = await o.seen('onStop')
    return { exitCode, reason }
  },

  async onStopAfterSignal(o) {
    await o.startAndWaitForPorts()
    await o.stop('SIGKILL')
    const { exitCode, reason } = await o.seen('onStop')
    return { exitCode, reason }
  },

  async onStopAfterDestroy(o) {
    await o.startAndWaitForPorts()
    await o.destroy()
    const { exitCode, reason } = await o.seen('onStop')
    return { exitCode, reason }
  },

  async onErrorWhenItCannotStart(o) {
    configure(o, { entrypoint: ['/no/such/executable'] })
    const started = await outcome(() => o.start())
    return { started, error: (await o.seen('onError')).error, hooks: hooksSeen(o), state: (await o.getState()).status }
  },

  async onErrorWhenThePortStaysClosed(o) {
    const started = await outcome(() =>
      o.startAndWaitForPorts({
        ports: [8099],
        cancellationOptions: { portReadyTimeoutMS: 300, waitInterval: 50 },
      }),
    )
    return { started, error: (await o.seen('onError')).error, running: o.raw.running }
  },

  async onErrorWhenItCrashesMeanwhile(o) {
    configure(o, { entrypoint: ['sh', '-c', 'sleep 0.3; exit 9'] })
    const started = await outcome(() =>
      o.startAndWaitForPorts({ cancellationOptions: { portReadyTimeoutMS: 5000, waitInterval: 20 } }),
    )
    return { failed: 'rejected' in started, error: (await o.seen('onError')).error }
  },

  async sleepAfter(o) {
    await o.startAndWaitForPorts()
    const began = Date.now()
    await hurry(o, 1)
    const expired = await o.seen('onActivityExpired')
    const stopped = await o.seen('onStop')
    return {
      notBefore: expired.at - began >= 1000,
      hooks: hooksSeen(o).filter((hook) => hook !== 'scheduled'),
      exitCode: stopped.exitCode,
      running: o.raw.running,
    }
  },

  async sleepAfterText(o) {
    await o.startAndWaitForPorts()
    await hurry(o, '1s')
    await o.seen('onActivityExpired')
    return hooksSeen(o).includes('onActivityExpired')
  },

  /** A request under way counts as activity, however long it takes; a second after its end there is none. */
  async sleepAfterWaits(o) {
    await o.startAndWaitForPorts()
    const answer = text(o, 'hang?name=long')
    await until('the server has the request', async () => {
      const progress = await o.raw.getTcpPort(8080).fetch('http://container/progress?name=long')
      return ((await progress.json()) as { bytes: number }).bytes === 1
    })
    await hurry(o, 1)
    await scheduler.wait(3000)
    const expired = hooksSeen(o).includes('onActivityExpired')
    await o.raw.getTcpPort(8080).fetch('http://container/release?name=long')
    const told = { expired, answer: await answer }
    await o.seen('onActivityExpired')
    return told
  },

  async requestsRenew(o) {
    await o.startAndWaitForPorts()
    await hurry(o, 3)
    for (let i = 0; i < 12; i++) {
      await text(o, 'health')
      await scheduler.wait(400)
    }
    return hooksSeen(o).filter((hook) => hook !== 'scheduled')
  },

  /** Who does not stop in onActivityExpired is asked again. */
  async expiresAgain(o) {
    configure(o, { stopsWhenExpired: false })
    await o.startAndWaitForPorts()
    await hurry(o, 1)
    await until('it has expired twice', () => hooksSeen(o).filter((hook) => hook === 'onActivityExpired').length === 2)
    return o.raw.running
  },

  async schedule(o) {
    await o.startAndWaitForPorts()
    const { callback, type, delayInSeconds } = (await o.schedule(1, 'scheduled', { some: 'payload' })) as {
      callback: string
      type: string
      delayInSeconds: number
    }
    const { payload, running } = await o.seen('scheduled')
    return { callback, type, delayInSeconds, payload, running }
  },

  async scheduleAtADate(o) {
    await o.startAndWaitForPorts()
    const { type } = await o.schedule(new Date(Date.now() + 1000), 'scheduled', 'later')
    return { type, payload: (await o.seen('scheduled')).payload }
  },

  /** Also without a container. */
  async scheduleWithoutContainer(o) {
    await o.schedule(0, 'scheduled', 'alone')
    const { payload, running } = await o.seen('scheduled')
    return { payload, running }
  },

  async scheduleInOnStart(o) {
    o.doOnStart = async () => {
      await o.schedule(1, 'scheduled', 'from onStart')
      return {}
    }
    await o.startAndWaitForPorts()
    return (await o.seen('scheduled')).payload
  },

  async requiredPorts(o) {
    configure(o, {
      requiredPorts: [8080, 9090],
      entrypoint: ['sh', '-c', 'node probe.mjs --listen 9090 --tcp 7001 --after 500 & exec node probe.mjs'],
    })
    await o.startAndWaitForPorts({ cancellationOptions: { waitInterval: 20 } })
    return text(o, 'health', 9090)
  },

  async slowServer(o) {
    configure(o, { entrypoint: ['node', 'probe.mjs', '--after', '700'] })
    const started = Date.now()
    await o.startAndWaitForPorts({ cancellationOptions: { waitInterval: 20 } })
    return { waited: Date.now() - started >= 600, hooks: hooksSeen(o) }
  },

  async waitForPort(o) {
    configure(o, { entrypoint: ['node', 'probe.mjs', '--after', '500'] })
    await o.start()
    const tries = await o.waitForPort({ portToCheck: 8080, retries: 200, waitInterval: 10 })
    return { tries: typeof tries, answer: await (await o.raw.getTcpPort(8080).fetch('http://c/health')).text() }
  },

  async waitForPortAborted(o) {
    configure(o, { entrypoint: ['sleep', '1000'] })
    await o.start()
    return outcome(() =>
      o.waitForPort({ portToCheck: 8080, retries: 1000, waitInterval: 20, signal: AbortSignal.timeout(200) }),
    )
  },

  async pingEndpoint(o) {
    configure(o, { pingEndpoint: 'quotes.example/ready?deep=1' })
    await o.startAndWaitForPorts()
    const seen = await json<string[]>(o, 'seen')
    return seen.includes('GET quotes.example /ready?deep=1')
  },

  async pingsByDefault(o) {
    await o.startAndWaitForPorts()
    return (await json<string[]>(o, 'seen')).includes('GET ping /')
  },

  async envVars(o) {
    configure(o, { envVars: { FROM_CLASS: 'class', OVERRIDDEN: 'class' } })
    await o.startAndWaitForPorts()
    const { env } = await json<{ env: Record<string, string> }>(o, 'boot')
    return [env.FROM_CLASS, env.OVERRIDDEN]
  },

  async startOptions(o) {
    configure(o, { envVars: { WHICH: 'class' }, labels: { which: 'class' } })
    await o.startAndWaitForPorts({
      startOptions: {
        envVars: { WHICH: 'call' },
        labels: { which: 'call' },
        entrypoint: ['node', 'probe.mjs', '--call'],
        enableInternet: false,
      },
    })
    const { env, argv } = await json<{ env: Record<string, string>; argv: string[] }>(o, 'boot')
    return { env: env.WHICH, argv, labels: (await o.raw.inspect())?.labels }
  },

  async entrypoint(o) {
    configure(o, { entrypoint: ['node', 'probe.mjs', '--from-class'] })
    await o.startAndWaitForPorts()
    return (await json<{ argv: string[] }>(o, 'boot')).argv
  },

  async labels(o) {
    configure(o, { labels: { tenant: 'acme' } })
    await o.startAndWaitForPorts()
    return (await o.raw.inspect())?.labels
  },

  async noInternet(o) {
    configure(o, { enableInternet: false })
    await o.startAndWaitForPorts()
    return (await json<{ how: string }>(o, 'dial?host=192.0.2.1&port=80')).how
  },
}
