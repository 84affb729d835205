import { randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { Latch } from './base/latch.ts'
import { Scope } from './base/scope.ts'
import { findEngine } from './engine/discover.ts'
import type { Engine } from './engine/engine.ts'
import { LABEL, ownerLabel, sweep, sweepDead } from './engine/leftovers.ts'
import { distFolder } from './files.ts'
import type { Session, SessionOptions } from './front.ts'
import { ContainerHost } from './host.ts'
import { BUSYBOX_IMAGE } from './image/busybox.ts'
import { HashCache } from './image/hash-cache.ts'
import { type Lock, lockFile, takeLock } from './lock.ts'
import { Fleet } from './object/fleet.ts'
import { ContainerWatch } from './object/watch.ts'
import { objectActions, SessionProcesses } from './people.ts'
import { configFile, Project } from './project.ts'
import { MoorageError } from './protocol/errors.ts'
import type { ProcessModel } from './protocol/model.ts'
import type { RelayNews } from './protocol/relay.ts'
import { type RelayThread, startRelay } from './relay/thread.ts'
import { Shells } from './shells.ts'
import { Sources } from './sources.ts'
import { Store } from './store.ts'

/** `docker stop`, `kill` and `rm` send one of these (SIGTERM and SIGKILL, as the engine's events name them). */
const ENDING_SIGNALS: ReadonlySet<string> = new Set(['15', '9'])

/** At its end a session waits so long for starts of its own that the engine has not answered, in ms. */
const OWN_STARTS_MS = 15_000

/**
 * Starts a session: finds the engine, starts the Workers, prepares images and the first containers. Resolves when the
 * Workers serve requests; images may still be in the making, and starts wait for them.
 * @throws MoorageError; nothing is left behind then.
 */
export async function startSession(options: SessionOptions): Promise<Session> {
  const scope = new Scope()
  const abort = new Latch<never>()
  const onAbort = (): void => abort.reject(new MoorageError('worker-failed', 'The start was cancelled.'))
  options.signal?.addEventListener('abort', onAbort)
  if (options.signal?.aborted === true) onAbort()
  try {
    return await Promise.race([open(options, scope), abort.promise])
  } catch (error) {
    await scope.close().catch(() => undefined)
    throw error
  } finally {
    options.signal?.removeEventListener('abort', onAbort)
  }
}

async function open(options: SessionOptions, scope: Scope): Promise<Session> {
  const id = randomBytes(5).toString('hex')
  const dist = options.dist ?? distFolder()
  const configs = typeof options.config === 'string' ? [options.config] : (options.config ?? [])
  const store = new Store(id)
  const failed = new Latch<Error>()
  if (options.onEvent !== undefined) {
    const listener = options.onEvent
    store.onEvent((event) => listener(event, store.model))
  }
  const watch = new ContainerWatch()
  const paths = (configs.length === 0 ? ['.'] : configs).map((path) => configFile(resolve(path)))
  const homeOf = (index: number): string => dirname(paths[index] ?? '.')
  const homes = [...new Set(paths.map((path) => dirname(path)))]
  const folder = homes[0] ?? resolve('.')
  const files = join(folder, '.wrangler', 'moorage', id)
  // The last thing to go: until then another session must not begin.
  const locks = new Map<string, Lock>()
  for (const home of homes) {
    const lock = await takeLock(home, id)
    scope.own(() => lock.release())
    locks.set(home, lock)
  }
  scope.own(() => rm(files, { recursive: true, force: true }))
  const token = randomBytes(32).toString('hex')
  const clientToken = randomBytes(32).toString('hex')

  const relay = startRelay({
    file: join(dist, 'relay.js'),
    offered: {
      attach: (args) => fleet.calls.attach(args),
      call: (args) => fleet.calls.call(args),
      source: ({ stack }) => sources.of(stack),
      find: ({ text }) => fleet.find(text),
      why: async ({ object, life }) => (await fleet.whyEnded(object, life)) ?? null,
      busybox: async ({ object }) => shells.put(fleet.at(object)),
      end: (args) => fleet.calls.end(args),
    },
    onNews: (news) => hear(news),
    onDeath: (error) => failed.resolve(error),
  })
  scope.own(() => relay.close())
  const listening = relay.ask.listen({ token, clientToken, folder: join(files, 'output') })
  listening.catch(() => undefined)

  // wrangler takes longest to load, so it comes first.
  const projects = paths.map((config, index) => {
    const project = new Project({
      config,
      session: id,
      dist,
      files: join(files, `worker-${index}`),
      left: { folder: files, lock: lockFile(homeOf(index)) },
      registry: join(files, 'registry'),
      ...(options.env === undefined ? {} : { env: options.env }),
      ...(options.node === undefined ? {} : { node: options.node }),
      port: index === 0 ? (options.port ?? 0) : 0,
      inspectorPort: index === 0 ? (options.inspectorPort ?? 0) : 0,
      logLevel: options.logLevel ?? 'info',
      onNotice: options.onNotice ?? (() => undefined),
      report: (happening) => store.report(happening),
      onFailure: (error) => failed.resolve(error),
    })
    scope.own(() => project.close())
    void project.read()
    return project
  })

  const sources = new Sources(projects)
  const engine = await findEngine(options.engine === undefined ? {} : { address: options.engine })
  scope.own(() => engine.close())
  const info = await engine.info()
  const ready = {
    state: 'ready',
    name: engine.about.product,
    version: engine.about.version,
    arch: engine.about.arch,
  } as const
  store.report({ type: 'engine', engine: ready })
  // What dead sessions left is none of this one's concern, but for the room it takes.
  void sweepDead(engine).catch(() => undefined)
  const owner = await ownerLabel()
  // The last thing to close in the engine: whatever is still there of this session is removed by its labels.
  scope.own(async () => {
    await sweep(engine, id, { startingMs: OWN_STARTS_MS })
  })

  const fleet: Fleet = new Fleet({
    engine,
    relay: () => relay,
    folder: join(files, 'logs'),
    reloading: () => projects.some((project) => project.reloading),
    report: (happening) => store.report(happening),
  })
  const host = new ContainerHost({
    engine,
    relay,
    watch,
    dist,
    labels: { session: id, owner, project: folder },
    machine: { cpus: info.cpus, memoryBytes: info.memoryBytes },
    limited: options.limits !== false,
    buildArgs: options.buildArgs ?? {},
    cache: new HashCache(join(folder, '.wrangler', 'moorage', 'hashes.json')),
    report: (happening) => store.report(happening),
    onFailure: (error) => failed.resolve(error),
  })
  const events = engine.events({
    labels: [`${LABEL.session}=${id}`],
    actions: ['oom', 'kill'],
    onEvent: (event) => {
      if (event.action === 'oom') watch.outOfMemory(event.id)
      else if (ENDING_SIGNALS.has(event.attributes.signal ?? '')) watch.killed(event.id)
    },
    onConnected: (connected) => {
      const { engine: now } = store.model
      if (!connected && now.state === 'ready' && !scope.closed) {
        store.report({
          type: 'engine',
          engine: {
            state: 'lost',
            message: `The container engine at ${engine.name} no longer answers. Moorage goes on by itself as soon as it does.`,
          },
        })
      } else if (connected && now.state === 'lost') {
        store.report({ type: 'engine', engine: ready })
        void host.revive()
        for (const one of fleet.classes) one.revive()
      }
    },
  })
  scope.own(() => events.dispose())
  // What the engine adds while the session runs is as far out of reach as what was there before.
  const networks = engine.events({
    types: ['network'],
    actions: ['create'],
    onEvent: ({ id: network }) => {
      void keepOut(engine, relay, network).catch(() => undefined)
    },
  })
  scope.own(() => networks.dispose())
  scope.own(async () => {
    const ended = fleet.close({ kind: 'session-ended' })
    // All of it at once, also what is just being made: everyone who waits for a container finds it gone.
    const swept = sweep(engine, id, { startingMs: OWN_STARTS_MS }).catch(() => undefined)
    await Promise.all([ended, host.close(Promise.allSettled([ended, swept]))])
  })

  const processes = new SessionProcesses(relay)
  const shells = new Shells({
    engine,
    source: options.busybox ?? process.env.MOORAGE_BUSYBOX ?? BUSYBOX_IMAGE,
    labels: { [LABEL.session]: id, [LABEL.owner]: owner },
  })

  async function hearProcess(model: ProcessModel): Promise<void> {
    fleet.process(model)
    const { end, object, life } = model
    const why = end?.lost === undefined ? undefined : await fleet.whyEnded(object, life)
    const told = end === undefined || why === undefined ? model : { ...model, end: { ...end, lost: why } }
    store.report({ type: 'process', process: told })
    processes.changed(told)
  }

  function hear(news: RelayNews): void {
    if (news.news === 'output') fleet.output(news.container, news.stream, news.lines)
    else if (news.news === 'process-output') processes.output(news)
    else if (news.news === 'process-read') processes.read(news.process)
    else if (news.news === 'process-note') processes.note(news.object, news.text)
    else if (news.news === 'process') void hearProcess(news.process)
    else if (news.news === 'note') fleet.noted(news.instance, news.note)
    else if (news.news === 'detached') fleet.detached(news.instance)
    else if (news.news === 'port-open') fleet.opened(news.object, news.open)
    else if (news.news === 'refused') fleet.refused(news.object, news.port)
    else if (news.news === 'agent-lost') fleet.agentLost(news.container)
    else if (news.news === 'agent' && news.up) watch.linkUp(news.container)
    else if (news.news === 'agent') watch.linkDown(news.container)
    else if (news.news === 'released') {
      watch.linkDown(news.container)
      watch.silent(news.container)
    }
  }

  const { port } = await listening
  const urls = await Promise.all(
    projects.map(async (project, index) => {
      project.sweeps(engine.address)
      // Closed first of all, before what its Worker uses.
      scope.own(() => project.close())
      const found = await project.read()
      const classes = found.containers.map((container) =>
        host.addClass(
          container,
          found.name,
          () => void fleet.restartClass(container.className, { kind: 'image-rebuilt' }),
        ),
      )
      for (const added of classes) fleet.addClass(added)
      store.addProject(
        { name: found.name, config: found.config, worker: { state: 'starting' } },
        classes.map((added) => added.model),
      )
      for (const added of classes) void added.makeImage()
      const url = await project.start(`http://127.0.0.1:${port}`, token)
      const home = homeOf(index)
      if (paths.findIndex((path) => dirname(path) === home) === index) {
        await locks.get(home)?.update({ url, join: { port, token: clientToken } })
      }
      return url
    }),
  )

  host.warm(fleet.classes)

  return {
    id,
    get model() {
      return store.model
    },
    urls,
    failed: failed.promise,
    onEvent: (listener) => store.onEvent(listener),
    object: (key) => objectActions(fleet.at(key), processes),
    process: (process) => processes.actions(process),
    rebuild: async (className) => {
      const wanted = [...fleet.classes].filter((c) => className === undefined || c.config.className === className)
      await Promise.all(
        wanted.map(async (c) => {
          if (await c.makeImage()) await fleet.restartClass(c.config.className, { kind: 'image-rebuilt' })
        }),
      )
    },
    left: async () => (await engine.listContainers([`${LABEL.session}=${id}`])).length,
    dispose: async () => {
      const first = !scope.closed
      await scope.close()
      if (first) store.report({ type: 'disposed' })
    },
  }
}

/** Keeps a network of the engine out of every sandbox's reach; one that is gone again needs no keeping. */
async function keepOut(engine: Engine, relay: RelayThread, id: string): Promise<void> {
  const { subnet = '' } = (await engine.inspectNetwork(id)) ?? {}
  // Our own network is none to refuse: its rules come first in the gateway, for what is between sandboxes.
  if (/^[\d.]+\/\d+$/.test(subnet)) await relay.ask.refuse({ network: subnet })
}
