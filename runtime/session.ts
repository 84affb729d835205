import { randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { Asides } from './asides.ts'
import { Asleep } from './asleep.ts'
import { Latch } from './base/latch.ts'
import { Scope } from './base/scope.ts'
import { findEngine } from './engine/discover.ts'
import { LABEL, ownerLabel, sweep, sweepDead } from './engine/leftovers.ts'
import { followEngine } from './engine-events.ts'
import { distFolder } from './files.ts'
import type { Session, SessionOptions } from './front.ts'
import { ContainerHost } from './host.ts'
import { BUSYBOX_IMAGE } from './image/busybox.ts'
import { HashCache } from './image/hash-cache.ts'
import { type Lock, lockFile, takeLock } from './lock.ts'
import { hearRelay } from './news.ts'
import { Fleet } from './object/fleet.ts'
import { ContainerWatch } from './object/watch.ts'
import { objectActions, type People, SessionProcesses } from './people.ts'
import { configFile, Project } from './project.ts'
import { MoorageError } from './protocol/errors.ts'
import type { ContainerId, ProcessModel } from './protocol/model.ts'
import { readContainerFile, readImageFile } from './read-file.ts'
import { startRelay } from './relay/thread.ts'
import { ShareServer } from './share/server.ts'
import { Shells } from './shells.ts'
import { Sources } from './sources.ts'
import { Store } from './store.ts'
import { Watching } from './watching.ts'

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
  const share = new ShareServer()
  let started = false
  // Those who joined hear of everything until the end.
  scope.own(() => {
    if (started) store.report({ type: 'disposed' })
    return share.close()
  })
  // The last thing to go but that: until then another session must not begin.
  const locks = new Map<string, Lock>()
  for (const home of homes) {
    const lock = await takeLock(home, id)
    scope.own(() => lock.release())
    locks.set(home, lock)
  }
  scope.own(() => rm(files, { recursive: true, force: true }))
  const asleep = new Asleep((happening) => store.report(happening))
  scope.own(() => asleep.close())
  const token = randomBytes(32).toString('hex')
  const clientToken = randomBytes(32).toString('hex')

  const relay = startRelay({
    file: join(dist, 'relay.js'),
    offered: {
      attach: (args) => fleet.calls.attach(args),
      call: (args) => fleet.calls.call(args),
      source: ({ stack }) => sources.of(stack),
      find: ({ text }) => fleet.find(text),
      busybox: ({ container }) => shells.put(container as ContainerId),
      why: async ({ object, life }) => (await fleet.whyEnded(object, life)) ?? null,
      end: (args) => fleet.calls.end(args),
    },
    onNews: (news) => hearRelay({ fleet, watch, processes, process: hearProcess }, news),
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
    remember: (key, memory) => asleep.saw(key, memory),
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
  for (const following of followEngine({
    engine,
    session: id,
    relay,
    watch,
    store,
    host,
    fleet,
    ending: () => scope.closed,
  })) {
    scope.own(() => following.dispose())
  }
  scope.own(async () => {
    const ended = fleet.close({ kind: 'session-ended' })
    // All of it at once, also what is just being made: everyone who waits for a container finds it gone.
    const swept = sweep(engine, id, { startingMs: OWN_STARTS_MS }).catch(() => undefined)
    await Promise.all([ended, host.close(Promise.allSettled([ended, swept]))])
  })

  const watching = new Watching({
    containers: () => fleet.running,
    look: (watched) => relay.ask.look(watched),
    report: (happening) => store.report(happening),
    onRound: () => asleep.count(),
  })
  scope.own(() => watching.close())

  const processes = new SessionProcesses(relay)
  const asides = new Asides(relay, processes)
  scope.own(() => asides.close())
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
    if (!asides.has(object)) store.report({ type: 'process', process: told })
    processes.changed(told)
  }

  const people: People = {
    processes,
    relay,
    readFile: async (object, path) => {
      const { state } = object
      if (state.state === 'running') return readContainerFile(engine, state.containerId, path)
      const { digest } = await fleet.class(object.className).image({})
      return readImageFile(engine, digest, { [LABEL.session]: id, [LABEL.owner]: owner }, path)
    },
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
      const objects = await asleep.add(homeOf(index), found)
      fleet.addStored(objects)
      store.report({
        type: 'project',
        project: { name: found.name, config: found.config, main: found.main, worker: { state: 'starting' } },
        classes: classes.map((added) => added.model),
        objects,
      })
      asleep.count()
      for (const added of classes) void added.makeImage()
      return project.start(`http://127.0.0.1:${port}`, token)
    }),
  )

  host.warm(fleet.classes)

  const session: Session = {
    id,
    own: true,
    get model() {
      return store.model
    },
    urls,
    failed: failed.promise,
    onEvent: (listener) => store.onEvent(listener),
    watch: () => watching.watch(),
    object: (key) => objectActions(fleet.at(key), people),
    process: (process) => processes.actions(process),
    execInImage: async (className, options) => asides.open(fleet.class(className), options),
    rebuild: async (className) => {
      const wanted = [...fleet.classes].filter((c) => className === undefined || c.config.className === className)
      await Promise.all(
        wanted.map(async (c) => {
          if (await c.makeImage()) await fleet.restartClass(c.config.className, { kind: 'image-rebuilt' })
        }),
      )
    },
    left: async () => (await engine.listContainers([`${LABEL.session}=${id}`])).length,
    cancelBuild: async (className) => fleet.class(className).cancelImage(),
    reload: async () => {
      await Promise.all(projects.map((project) => project.reload()))
    },
    dispose: () => scope.close(),
  }
  const joinPort = await share.listen({ token: clientToken, session, seq: () => store.seq })
  for (const [home, lock] of locks) {
    const url = urls[paths.findIndex((path) => dirname(path) === home)]
    await lock.update({ url, join: { port, share: joinPort, token: clientToken } })
  }
  started = true
  return session
}
