import { randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { Latch } from './base/latch.ts'
import { Scope } from './base/scope.ts'
import { findEngine } from './engine/discover.ts'
import { LABEL, ownerLabel, sweep, sweepDead } from './engine/leftovers.ts'
import { distFolder } from './files.ts'
import { ContainerHost } from './host.ts'
import { HashCache } from './image/hash-cache.ts'
import { type Lock, lockFile, takeLock } from './lock.ts'
import { Fleet } from './object/fleet.ts'
import type { LogLine } from './object/log.ts'
import { ContainerWatch } from './object/watch.ts'
import { configFile, Project } from './project.ts'
import { MoorageError } from './protocol/errors.ts'
import type { SessionEvent } from './protocol/events.ts'
import type { ObjectKey, SessionModel } from './protocol/model.ts'
import type { RelayNews } from './protocol/relay.ts'
import { startRelay } from './relay/thread.ts'
import { Store } from './store.ts'

/** `docker stop`, `kill` and `rm` send one of these (SIGTERM and SIGKILL, as the engine's events name them). */
const ENDING_SIGNALS: ReadonlySet<string> = new Set(['15', '9'])

/** What a session is started with. */
export interface SessionOptions {
  /** The wrangler config, or several: one Worker each. A folder or nothing means the config in it. */
  readonly config?: string | readonly string[]
  /** A section of `env` in the config. */
  readonly env?: string
  /** Where the (first) Worker is served; 0, the default, for a free port. */
  readonly port?: number
  readonly inspectorPort?: number
  readonly logLevel?: 'debug' | 'info' | 'warn' | 'error'
  /** Set over the Dockerfiles' own ARGs. */
  readonly buildArgs?: Readonly<Record<string, string>>
  /** The folder of Moorage's built files; found by itself except in a CommonJS bundle. */
  readonly dist?: string
  /** The engine's address as in DOCKER_HOST; else it is found. */
  readonly engine?: string
  /** The Node for wrangler; else it is found. */
  readonly node?: string
  /** false: no limits of CPU, memory and max_instances. */
  readonly limits?: boolean
  /** Aborts the start; what was opened is closed. A session that has started is ended by dispose(). */
  readonly signal?: AbortSignal
  /** Hears events from the very first, before startSession resolves. */
  readonly onEvent?: (event: SessionEvent, model: SessionModel) => void
  /** Hears what is done on this machine beside the session, such as an installation. */
  readonly onNotice?: (text: string) => void
}

/** What can be done to an object's container. Each rejects with MoorageError where it cannot be done. */
export interface ObjectActions {
  /** Starts it with what the Worker started it with last; resolves when the app runs. */
  start(): Promise<void>
  /** Sends SIGTERM; resolves when it was sent. */
  stop(): Promise<void>
  /** Destroys it and starts it anew with the same options. */
  restart(): Promise<void>
  /** Ends it at once; resolves when it has ended. */
  destroy(): Promise<void>
  /** Sends a signal, 1..64, to the root process. */
  signal(signal: number): Promise<void>
  /** Everything that is kept of its log, over all lives, oldest first. */
  logs(): Promise<LogLine[]>
}

/** One run of a project. */
export interface Session {
  readonly id: string
  /** Everything that is. A new value after each event that changes it. */
  readonly model: SessionModel
  /** Where the Workers are served, in the order of the configs. */
  readonly urls: readonly string[]
  /** Resolves with the reason when the session cannot go on; dispose() is still to be called. */
  readonly failed: Promise<Error>
  /** Hears every event from now on; the function returned ends it. */
  onEvent(listener: (event: SessionEvent) => void): () => void
  /** @throws MoorageError where no such object was seen. */
  object(key: ObjectKey): ObjectActions
  /** Builds the images of a class, or of all, anew where their content changed; running containers restart on them. */
  rebuild(className?: string): Promise<void>
  /** Ends everything and removes what it made in the engine. Called again it gives the same promise. */
  dispose(): Promise<void>
}

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

  const relay = startRelay({
    file: join(dist, 'relay.js'),
    offered: {
      attach: (args) => fleet.calls.attach(args),
      call: (args) => fleet.calls.call(args),
      source: () => null,
      end: (args) => fleet.calls.end(args),
    },
    onNews: (news) => hear(news),
    onDeath: (error) => failed.resolve(error),
  })
  scope.own(() => relay.close())
  const listening = relay.ask.listen({ token, folder: join(files, 'output') })

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
  await sweepDead(engine)
  const owner = await ownerLabel()
  // The last thing to close in the engine: whatever is still there of this session is removed by its labels.
  scope.own(async () => {
    await sweep(engine, id)
  })

  const projects: Project[] = []
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
  scope.own(async () => {
    const ended = fleet.close({ kind: 'session-ended' })
    // All of it at once, also what is just being made: everyone who waits for a container finds it gone.
    const swept = sweep(engine, id).catch(() => undefined)
    await Promise.all([ended, host.close(Promise.allSettled([ended, swept]))])
  })

  function hear(news: RelayNews): void {
    if (news.news === 'output') fleet.output(news.container, news.stream, news.lines)
    else if (news.news === 'process') store.report({ type: 'process', process: news.process })
    else if (news.news === 'note') fleet.noted(news.instance, news.note)
    else if (news.news === 'detached') fleet.detached(news.instance)
    else if (news.news === 'port-open') fleet.opened(news.object, news.open)
    else if (news.news === 'refused') fleet.refused(news.object, news.port)
    else if (news.news === 'released' || (news.news === 'agent' && !news.up)) watch.linkDown(news.container)
  }

  const { port } = await listening
  const urls = await Promise.all(
    paths.map(async (config, index) => {
      const home = dirname(config)
      const project = new Project({
        config,
        session: id,
        engine: engine.address,
        dist,
        files: join(files, `worker-${index}`),
        left: { folder: files, lock: lockFile(home) },
        registry: paths.length > 1 ? join(files, 'registry') : undefined,
        base: `http://127.0.0.1:${port}`,
        token,
        ...(options.env === undefined ? {} : { env: options.env }),
        ...(options.node === undefined ? {} : { node: options.node }),
        port: index === 0 ? (options.port ?? 0) : 0,
        inspectorPort: index === 0 ? (options.inspectorPort ?? 0) : 0,
        logLevel: options.logLevel ?? 'info',
        onNotice: options.onNotice ?? (() => undefined),
        report: (happening) => store.report(happening),
        onFailure: (error) => failed.resolve(error),
      })
      projects.push(project)
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
      const url = await project.start()
      if (paths.findIndex((path) => dirname(path) === home) === index) await locks.get(home)?.update({ url })
      return url
    }),
  )

  const act = (key: ObjectKey) => {
    const object = fleet.objects.get(key)
    if (object === undefined) throw new MoorageError('start-failed', `No object ${key} was seen in this session.`)
    return object
  }
  return {
    id,
    get model() {
      return store.model
    },
    urls,
    failed: failed.promise,
    onEvent: (listener) => store.onEvent(listener),
    object: (key) => {
      const object = act(key)
      const started = async (start: Promise<{ message: string; cause?: string } | undefined>): Promise<void> => {
        const refusal = await start
        if (refusal !== undefined) throw new MoorageError('start-failed', refusal.cause ?? refusal.message)
      }
      return {
        start: () => started(object.start()),
        stop: async () => object.life?.signal(15, 'person'),
        restart: () => started(object.restart({ kind: 'destroyed', by: 'person' })),
        destroy: async () => object.life?.destroy({ kind: 'destroyed', by: 'person' }),
        signal: async (signal) => object.life?.signal(signal, 'person'),
        logs: () => object.log.read(),
      }
    },
    rebuild: async (className) => {
      const wanted = [...fleet.classes].filter((c) => className === undefined || c.config.className === className)
      await Promise.all(
        wanted.map(async (c) => {
          if (await c.makeImage()) await fleet.restartClass(c.config.className, { kind: 'image-rebuilt' })
        }),
      )
    },
    dispose: async () => {
      const first = !scope.closed
      await scope.close()
      if (first) store.report({ type: 'disposed' })
    },
  }
}
