import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Engine } from './engine/engine.ts'
import { agentImage } from './image/agent-image.ts'
import type { HashCache } from './image/hash-cache.ts'
import { prepareImage } from './image/image.ts'
import { type ImageSource, readContent } from './image/source.ts'
import { type ContextWatch, watchContext } from './image/watch.ts'
import { ContainerClass, type ReadyImage } from './object/class.ts'
import { agentFiles, type EngineLimits, type Prepared, prepareContainer } from './object/prepared.ts'
import type { ContainerWatch } from './object/watch.ts'
import type { ContainerConfig } from './protocol/child.ts'
import type { Happening } from './protocol/events.ts'
import type { RelayThread } from './relay/thread.ts'
import type { Labels } from './sandbox/labels.ts'
import { SessionNetwork } from './sandbox/network.ts'
import { SandboxPool } from './sandbox/pool.ts'

/**
 * Sandboxes kept ready beside those of the warm containers: as many as are likely to be wanted at once. Each is one idle
 * process of some 100 kB, and takes the engine 0.2 s to make.
 */
const READY_SANDBOXES = 10

export interface HostOptions {
  readonly engine: Engine
  readonly relay: RelayThread
  readonly watch: ContainerWatch
  readonly dist: string
  readonly labels: Labels
  readonly machine: { readonly cpus: number; readonly memoryBytes: number }
  readonly limited: boolean
  readonly buildArgs: Readonly<Record<string, string>>
  readonly cache: HashCache
  report(happening: Happening): void
  onFailure(error: Error): void
}

/** What all classes of a session share in the engine: its network, its sandboxes, the agent. Opened when first needed. */
export class ContainerHost {
  readonly #options: HostOptions
  #warming = false
  readonly #closing = new AbortController()
  #ground: Promise<{ network: SessionNetwork; pool: SandboxPool; files: Buffer }> | undefined

  constructor(options: HostOptions) {
    this.#options = options
  }

  /** A class with its container's config. The caller makes its image and closes it. */
  addClass(config: ContainerConfig, project: string, onNewImage: () => void): ContainerClass {
    const { machine, limited, engine, report } = this.#options
    const { className } = config
    return new ContainerClass({
      config,
      project,
      machine,
      limited,
      makeImage: (signal) => this.#image(config.image, project, className, signal),
      otherImage: (source) => this.#image(source, project, className),
      prepare: (image, limits) => this.#prepare(className, image, limits),
      mayWarm: () => this.#warming,
      limit: (container, limits) => engine.update(container.id, limits),
      watchSource: (onChange) => this.#watch(config.image, onChange),
      onNewImage,
      onImage: (image) => report({ type: 'image', className, image }),
      onProblem: (error) =>
        report({ type: 'advice', text: `${className}: ${error instanceof Error ? error.message : error}` }),
    })
  }

  /** The Workers serve: from now on a network, sandboxes and warm containers are made before anyone asks. */
  warm(classes: Iterable<ContainerClass>): void {
    this.#warming = true
    void this.#open().catch(() => undefined)
    for (const one of classes) one.warm()
  }

  /** The engine is back after it was away. */
  async revive(): Promise<void> {
    const ground = await this.#ground?.catch(() => undefined)
    if (ground === undefined) this.#ground = undefined
    ground?.pool.fill()
  }

  /**
   * Ends the sandboxes and the network.
   * @param empty resolves when the containers in them are gone; never rejects. What none of them needs goes before.
   */
  async close(empty: Promise<unknown>): Promise<void> {
    this.#closing.abort(new Error('The session has ended.'))
    const ground = await this.#ground?.catch(() => undefined)
    const pooled = ground?.pool.close()
    await ground?.network.close(Promise.all([empty, pooled]))
  }

  #open(): Promise<{ network: SessionNetwork; pool: SandboxPool; files: Buffer }> {
    this.#ground ??= (async () => {
      const { engine, labels, relay, dist, report, onFailure } = this.#options
      const native = join(dist, 'native')
      const [image, files] = await Promise.all([
        agentImage(engine, native),
        readFile(join(native, `moorage-agent-${engine.about.arch}`)).then(agentFiles),
      ])
      const { signal } = this.#closing
      signal.throwIfAborted()
      const network = await SessionNetwork.open({
        signal,
        engine,
        labels,
        agentImage: image,
        connect: (address) => relay.ask.openGateway(address),
        onFailure,
      })
      const pool = new SandboxPool({
        signal,
        engine,
        labels,
        agentImage: image,
        network,
        ready: READY_SANDBOXES,
        onProblem: (error) =>
          report({
            type: 'advice',
            text: `A sandbox could not be made: ${error instanceof Error ? error.message : error}`,
          }),
      })
      pool.fill()
      return { network, pool, files }
    })()
    return this.#ground
  }

  async #prepare(className: string, image: string, limits: EngineLimits | undefined): Promise<Prepared> {
    const { engine, relay, labels, watch } = this.#options
    const { pool, network, files } = await this.#open()
    return prepareContainer({
      signal: this.#closing.signal,
      engine,
      relay,
      pool,
      labels,
      className,
      image,
      limits,
      files,
      gatewayAddress: network.subnet.gateway,
      watch: (id) => watch.watch(id),
    })
  }

  #watch(source: ImageSource, onChange: () => void): () => void {
    if ('reference' in source) return () => undefined
    const { buildArgs, cache } = this.#options
    let watching: ContextWatch | undefined
    let over = false
    void (async () => {
      // A Dockerfile that is not there yet is watched as well: what comes is another content than none.
      const digest = await readContent(source, { buildArgs, cache }).then(
        (content) => content.digest,
        () => '',
      )
      watching = await watchContext(source, { buildArgs, cache, digest, onChange: () => onChange() })
      if (over) watching.dispose()
    })().catch((error: unknown) => {
      this.#options.report({
        type: 'advice',
        text: `${source.dockerfile} is not watched for changes: ${error instanceof Error ? error.message : error}`,
      })
    })
    return () => {
      over = true
      watching?.dispose()
    }
  }

  async #image(source: ImageSource, project: string, className: string, signal?: AbortSignal): Promise<ReadyImage> {
    const { engine, buildArgs, cache, report } = this.#options
    const since = Date.now()
    const made = await prepareImage(engine, source, {
      project,
      className,
      buildArgs,
      cache,
      ...(signal === undefined ? {} : { signal }),
      onProgress: (progress) => report({ type: 'image', className, image: { state: 'preparing', since, ...progress } }),
      onOutput: (text) => report({ type: 'image-output', className, text }),
    })
    for (const text of made.warnings) report({ type: 'advice', text: `${className}: ${text}` })
    const { info } = made
    return {
      name: made.reference,
      digest: info.id,
      sizeBytes: info.sizeBytes,
      command: {
        entrypoint: info.entrypoint,
        cmd: info.cmd,
        env: info.env,
        user: info.user,
        workingDir: info.workingDir,
      },
    }
  }
}
