import { Latch } from '../base/latch.ts'
import type { ContainerConfig } from '../protocol/child.ts'
import { MoorageError } from '../protocol/errors.ts'
import type { ClassModel, ImageState } from '../protocol/model.ts'
import type { RunCommand } from '../protocol/relay.ts'
import type { StartOptions } from '../protocol/worker.ts'
import { type ImageCommand, rootCommand } from './command.ts'
import { engineLimits, type Limits, limitsOf } from './limits.ts'
import type { EngineLimits, Prepared } from './prepared.ts'
import { WarmContainer } from './warm.ts'

/** An image that containers can be made of. */
export interface ReadyImage {
  /** For people. */
  readonly name: string
  /** The engine's id: what containers are made from, so that a later build under the same name changes nothing. */
  readonly digest: string
  readonly sizeBytes: number
  readonly command: ImageCommand
}

export interface ClassOptions {
  readonly config: ContainerConfig
  readonly project: string
  readonly machine: { readonly cpus: number; readonly memoryBytes: number }
  /** Whether limits of CPU, memory and number hold. */
  readonly limited: boolean
  /** Makes or finds the image; reports progress by itself. */
  makeImage(signal: AbortSignal): Promise<ReadyImage>
  /** The image that start({image}) names. */
  otherImage(source: ContainerConfig['image']): Promise<ReadyImage>
  prepare(image: string, limits: EngineLimits | undefined): Promise<Prepared>
  /** Whether containers may be made that nobody has asked for: not before the Workers serve, as both need the same processor. */
  mayWarm(): boolean
  /** Changes the limits of a container that is prepared. */
  limit(container: Prepared, limits: EngineLimits): Promise<void>
  /** Calls back when what the image is built from became another; the function returned ends it. */
  watchSource(onChange: () => void): () => void
  /** There is a new image; containers still run on the old one. */
  onNewImage(): void
  onImage(state: ImageState): void
  onProblem(error: unknown): void
}

/** The platform's bound where the config names none. */
const DEFAULT_MAX_INSTANCES = 20

/** A class with a container: its image as it is now, its limits, and the container kept warm. */
export class ContainerClass {
  readonly config: ContainerConfig
  readonly project: string
  readonly #options: ClassOptions
  readonly #warm: WarmContainer
  readonly #closing = new AbortController()
  #image = new Latch<ReadyImage>()
  #current: ReadyImage | undefined
  #state: ImageState = { state: 'unknown' }
  #making: Promise<boolean> | undefined
  #cancel = new AbortController()
  #again = false
  readonly #unwatch: () => void

  constructor(options: ClassOptions) {
    this.#options = options
    this.config = options.config
    this.project = options.project
    this.#warm = new WarmContainer({
      prepare: async () =>
        options.prepare((await this.#image.promise).digest, this.#engineLimits(this.config.instanceType)),
      onProblem: options.onProblem,
    })
    this.#unwatch = options.watchSource(() => {
      void this.makeImage(true).then((changed) => {
        if (changed) options.onNewImage()
      })
    })
  }

  get model(): ClassModel {
    const limits = this.#engineLimits(this.config.instanceType)
    return {
      className: this.config.className,
      project: this.project,
      maxInstances: this.maxInstances,
      instanceType: typeof this.config.instanceType === 'string' ? this.config.instanceType : 'custom',
      ...('dockerfile' in this.config.image ? { dockerfile: this.config.image.dockerfile } : {}),
      ...(limits === undefined ? {} : { limits: { cpus: limits.NanoCpus / 1e9, memoryBytes: limits.Memory } }),
      image: this.#state,
    }
  }

  /** Containers that may run at once; Infinity where limits are switched off. */
  get maxInstances(): number {
    return this.#options.limited ? (this.config.maxInstances ?? DEFAULT_MAX_INSTANCES) : Number.POSITIVE_INFINITY
  }

  /**
   * Makes the image, or makes it anew; running containers keep the old one. Never rejects: a failure is in the model, and
   * starts fail with it while there is no older image.
   * @param changed what it is built from has changed: a build that is under way may have read it before, and is followed by another.
   * @returns whether there is a new image now.
   */
  makeImage(changed = false): Promise<boolean> {
    if (this.#making !== undefined) {
      this.#again ||= changed
      return this.#making
    }
    this.#making = this.#makeAll().finally(() => {
      this.#making = undefined
    })
    return this.#making
  }

  /** Ends the making that is under way, if one is; the image there was stays in use. Resolves when it has ended. */
  async cancelImage(): Promise<void> {
    const making = this.#making
    if (making === undefined) return
    this.#again = false
    this.#cancel.abort(new MoorageError('build-failed', 'The image was not made: it was cancelled.'))
    await making
  }

  async #makeAll(): Promise<boolean> {
    let changed = false
    do {
      this.#again = false
      changed = (await this.#make()) || changed
    } while (this.#again && !this.#closing.signal.aborted)
    return changed
  }

  /** The image for a start. @throws the reason why there is none. */
  async image(start: StartOptions): Promise<ReadyImage> {
    if (start.image !== undefined)
      return this.#options.otherImage(this.config.images[start.image] ?? { reference: start.image })
    return this.#image.promise
  }

  /** A container for a start: the warm one where it fits. Call warm() when the start is over. */
  async container(image: ReadyImage, start: StartOptions): Promise<Prepared> {
    const limits = this.#engineLimits(start.instance ?? this.config.instanceType)
    if (image === this.#current) {
      const warm = await this.#warm.take()
      if (warm !== undefined) {
        try {
          if (start.instance !== undefined && limits !== undefined) await this.#options.limit(warm, limits)
          return warm
        } catch (error) {
          await warm.close().catch(this.#options.onProblem)
          throw error
        }
      }
    }
    return this.#options.prepare(image.digest, limits)
  }

  /** A container that no object has, and what its app would be started as. The caller owns it. @throws where there is no image */
  async aside(): Promise<{ readonly container: Prepared; readonly command: RunCommand }> {
    const image = await this.#image.promise
    const container = await this.#options.prepare(image.digest, this.#engineLimits(this.config.instanceType))
    return { container, command: rootCommand(image.command, {}, { id: '', project: this.project }) }
  }

  /** The limits of a start in production's words, or undefined where they are switched off. */
  limits(start: StartOptions): Limits | undefined {
    return this.#options.limited ? limitsOf(start.instance ?? this.config.instanceType) : undefined
  }

  /** Makes up for a warm container that was taken. */
  warm(): void {
    if (this.#current !== undefined && this.#options.mayWarm()) this.#warm.warm()
  }

  /** The engine is back: what failed while it was away may be tried again. */
  revive(): void {
    if (this.#state.state === 'failed') void this.makeImage()
    this.#warm.revive()
  }

  async close(): Promise<void> {
    this.#closing.abort()
    this.#unwatch()
    this.#image.reject(new MoorageError('start-failed', 'The session has ended.'))
    await Promise.allSettled([this.#warm.close(), this.#making])
  }

  async #make(): Promise<boolean> {
    const began = Date.now()
    this.#cancel = new AbortController()
    const { signal: cancelled } = this.#cancel
    try {
      const image = await this.#options.makeImage(AbortSignal.any([this.#closing.signal, cancelled]))
      const changed = this.#current?.digest !== image.digest
      this.#current = image
      if (this.#image.settled) this.#image = new Latch<ReadyImage>()
      this.#image.resolve(image)
      this.#set({
        state: 'ready',
        image: image.name,
        digest: image.digest,
        sizeBytes: image.sizeBytes,
        tookMs: Date.now() - began,
      })
      if (changed) await this.#warm.discard()
      this.warm()
      return changed
    } catch (error) {
      if (this.#closing.signal.aborted) return false
      const reason: unknown = cancelled.aborted ? cancelled.reason : error
      const failure = reason instanceof MoorageError ? reason : new MoorageError('build-failed', String(reason))
      const { file, line, instruction, exitCode, lastOutput } = failure.detail as {
        file?: string
        line?: number
        instruction?: string
        exitCode?: number
        lastOutput?: readonly string[]
      }
      this.#set({
        state: 'failed',
        message: failure.message,
        lastOutput: lastOutput ?? [],
        advice: failure.advice,
        ...(file === undefined ? {} : { file }),
        ...(line === undefined ? {} : { line }),
        ...(instruction === undefined ? {} : { instruction }),
        ...(exitCode === undefined ? {} : { exitCode }),
        ...(this.#current === undefined ? {} : { previous: this.#current.name }),
      })
      if (this.#current === undefined) {
        if (this.#image.settled) this.#image = new Latch<ReadyImage>()
        this.#image.reject(failure)
      }
      return false
    }
  }

  #set(state: ImageState): void {
    this.#state = state
    this.#options.onImage(state)
  }

  #engineLimits(instance: StartOptions['instance']): EngineLimits | undefined {
    return this.#options.limited ? engineLimits(limitsOf(instance), this.#options.machine) : undefined
  }
}
