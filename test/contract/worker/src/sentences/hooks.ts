import type { Hooked } from '../hooked.ts'
import { outcome, until } from '../tell.ts'

/** A sentence about the Container class, done. */
type HookSentence = (o: Hooked, args: Record<string, string>) => unknown

/** The state of the class is private to it: here it is set as a subclass's fields would. */
function configure(o: Hooked, fields: Record<string, unknown>): void {
  Object.assign(o, fields)
  o.renewActivityTimeout()
}

/** Sets sleepAfter on a container that runs: the class looks at it again when something is scheduled. */
async function hurry(o: Hooked, sleepAfter: number | string): Promise<void> {
  configure(o, { sleepAfter })
  await o.schedule(0, 'scheduled', 'hurry')
}

const hooksSeen = (o: Hooked): string[] => o.moments().map(({ hook }) => hook)

async function text(o: Hooked, path: string, port?: number): Promise<string> {
  return (await o.containerFetch(`http://container/${path}`, {}, port ?? 8080)).text()
}

async function json<T>(o: Hooked, path: string): Promise<T> {
  return JSON.parse(await text(o, path)) as T
}

export const hooks: Record<string, HookSentence> = {
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
