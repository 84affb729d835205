import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import type { Engine } from '../engine/engine.ts'
import { MoorageError } from '../protocol/errors.ts'
import type { Happening, HookName } from '../protocol/events.ts'
import {
  type ContainerId,
  type InstanceId,
  type ObjectKey,
  type ObjectModel,
  objectKey,
  type ProcessModel,
  type Reason,
} from '../protocol/model.ts'
import type { SessionCalls } from '../protocol/relay.ts'
import type { Note } from '../protocol/worker.ts'
import type { Offered, RelayThread } from '../relay/thread.ts'
import { type Lost, livesWithoutAgent } from './agent-lost.ts'
import type { ContainerClass } from './class.ts'
import { rootCommand } from './command.ts'
import { DurableObject } from './object.ts'

/** Objects that are listed for someone who named none of them. */
const NAMED = 20

export interface FleetOptions {
  readonly engine: Engine
  readonly relay: () => RelayThread
  /** Where objects' logs go when they are long. */
  readonly folder: string
  /** Whether a reload of the Worker is under way. */
  reloading(): boolean
  /** An object is in memory: what is to be known of it when it sleeps. */
  remember(key: ObjectKey, memory: { readonly name: string | undefined; readonly wokeAt: number | undefined }): void
  report(happening: Happening): void
}

/** Who an object is. */
type Identity = Pick<ObjectModel, 'key' | 'id' | 'name'>

/** All objects of a session that have been seen or are stored, and the instances that speak for them. */
export class Fleet {
  readonly objects = new Map<ObjectKey, DurableObject>()
  /** Those that sleep since before the session; they become objects when someone wants them. */
  readonly #stored = new Map<ObjectKey, ObjectModel>()
  readonly #classes = new Map<string, ContainerClass>()
  readonly #instances = new Map<string, DurableObject>()
  /** Whose a container is, until all that it wrote has been told. */
  readonly #containers = new Map<string, { readonly object: DurableObject; readonly life: number }>()
  readonly #closing = new Set<Promise<void>>()
  readonly #options: FleetOptions

  constructor(options: FleetOptions) {
    this.#options = options
  }

  addClass(added: ContainerClass): void {
    const { className } = added.config
    if (this.#classes.has(className)) {
      throw new MoorageError('config-invalid', `Two configs have a class ${className} with a container.`, {
        advice: ['Run them in two sessions, or rename one of the classes.'],
      })
    }
    this.#classes.set(className, added)
  }

  /** Objects that storage has. */
  addStored(stored: readonly ObjectModel[]): void {
    for (const one of stored) if (!this.objects.has(one.key)) this.#stored.set(one.key, one)
  }

  get classes(): Iterable<ContainerClass> {
    return this.#classes.values()
  }

  /** What the relay asks on behalf of isolates. */
  readonly calls: Pick<Offered<SessionCalls>, 'attach' | 'call' | 'end'> = {
    attach: async ({ className, id, name, isolate }) => {
      const object = this.#object(className, id)
      if (name !== undefined) object.name = name
      await object.arriving(isolate)
      const instance = randomUUID() as InstanceId
      this.#instances.set(instance, object)
      return { ...object.attach(instance), object: object.key }
    },
    call: ({ instance, call }) =>
      this.#instances.get(instance)?.call(instance, call) ?? { refusal: { message: 'Network connection lost.' } },
    end: async ({ instance, life }) => {
      const object = this.#instances.get(instance)
      if (object === undefined) return { life, failure: { message: 'Network connection lost.' } }
      return object.end(instance, life)
    },
  }

  /** @throws MoorageError where no such object was seen in this session, or is stored. */
  at(key: ObjectKey): DurableObject {
    const stored = this.#stored.get(key)
    const object = stored === undefined ? this.objects.get(key) : this.#object(stored.className, stored.id)
    if (object === undefined) throw new MoorageError('no-object', `No object ${key} was seen in this session.`)
    return object
  }

  /**
   * The object that someone means, and is about to do something in: `Class/name`, `Class/id`, or only the name or id, or the beginning of an id.
   * @throws MoorageError that lists what there is.
   */
  find(text: string): ObjectKey {
    const all: Identity[] = [...this.objects.values(), ...this.#stored.values()]
    const found = all.filter((object) => matches(object, text))
    const [only] = found
    if (only !== undefined && found.length === 1) {
      this.objects.get(only.key)?.visited()
      return only.key
    }
    throw new MoorageError(
      'no-object',
      found.length === 0
        ? `There is no object "${text}".`
        : `"${text}" may be ${found.slice(0, NAMED).map(labelOf).join(' or ')}.`,
      { advice: this.#known(text, all) },
    )
  }

  /** A process was started, moved bytes, or has ended. */
  process({ id, object, by, end }: ProcessModel): void {
    if (by === 'person') this.objects.get(object)?.attended(id, end === undefined)
  }

  /** Why a life of an object ended, in a sentence, where that is known. */
  async whyEnded(object: ObjectKey, life: number): Promise<string | undefined> {
    return this.objects.get(object)?.whyEnded(life)
  }

  /** An instance's socket closed. */
  detached(instance: string): void {
    this.#instances.get(instance)?.detach(instance)
    this.#instances.delete(instance)
  }

  noted(instance: string, note: Note): void {
    const object = this.#instances.get(instance)
    if (object === undefined) return
    if (note.note === 'hook') {
      if (note.hook === 'onActivityExpired') object.expiring(note.edge === 'begin')
      const { note: _, hook, ...rest } = note
      this.#options.report({ type: 'hook', object: object.key, hook: hook as HookName, ...rest })
    } else if (note.note === 'alarm') {
      const { at, why } = note
      const alarm = at === undefined || why === undefined ? undefined : { at, why }
      this.#options.report({ type: 'alarm', object: object.key, alarm })
    } else if (note.note === 'ran') object.pushes.ran(instance, note.push, note.error)
    else object.busy(note.note === 'busy')
  }

  opened(key: string, open: number): void {
    this.objects.get(key as ObjectKey)?.opened(open)
  }

  /** A request found nobody listening on a port. */
  refused(key: string, port: number): void {
    void this.objects.get(key as ObjectKey)?.life?.refused(port)
  }

  /** A container wrote lines. Those of one that no object has yet are the agent's own and are dropped. */
  output(container: string, stream: 'stdout' | 'stderr', lines: readonly string[]): void {
    const writer = this.#containers.get(container)
    if (writer === undefined) return
    const { object, life } = writer
    for (const text of lines) {
      object.log.add({ at: Date.now(), life, stream, text })
      this.#options.report({ type: 'container-log', object: object.key, life, stream, text })
    }
  }

  /** The agent in a container may be dead; nothing of ours gets in or out then. */
  async agentLost(container: string, lost: Lost): Promise<void> {
    const life = this.#containers.get(container)?.object.life
    if (life?.containerId !== container) return
    if (!(await livesWithoutAgent(this.#options.engine, container as ContainerId, lost))) return
    await life.destroy({ kind: 'agent-lost', ...(lost === 'silent' && { silent: true }) })
  }

  /** @throws MoorageError where no such class has a container. */
  class(className: string): ContainerClass {
    const found = this.#classes.get(className)
    if (found === undefined) throw new MoorageError('class-not-exported', `No class ${className} has a container.`)
    return found
  }

  /** The containers that run. */
  get running(): readonly { object: ObjectKey; container: ContainerId; since: number }[] {
    return [...this.objects.values()].flatMap(({ key, state }) =>
      state.state === 'running' ? [{ object: key, container: state.containerId, since: state.since }] : [],
    )
  }

  /** Restarts the running containers of a class, on its new image. */
  async restartClass(className: string, reason: Reason): Promise<void> {
    const running = [...this.objects.values()].filter((o) => o.key.startsWith(`${className}/`) && o.life !== undefined)
    await Promise.all(running.map((object) => object.restart(reason)))
  }

  /** Ends every life, and waits until the engine has removed the containers. */
  async close(reason: Reason): Promise<void> {
    await Promise.all([...this.objects.values()].map((object) => object.life?.destroy(reason)))
    await Promise.allSettled([...[...this.#classes.values()].map((c) => c.close()), ...this.#closing])
    await Promise.allSettled([...this.objects.values()].map((object) => object.close()))
  }

  /** What there is, for someone who meant something else. */
  #known(text: string, all: readonly Identity[]): string[] {
    const runs = ({ key }: Identity): boolean => this.objects.get(key)?.life !== undefined
    if (all.length === 0) return ['No object was seen yet: send the Worker a request first.']
    const meant = all.filter((object) => matches(object, text, inLowerCase)).map(labelOf)
    const running = all.filter(runs).map(labelOf)
    const idle = all.filter((object) => !runs(object)).map((object) => `${labelOf(object)} (does not run)`)
    const known = [...running, ...idle]
    const more = known.length > NAMED ? `, and ${known.length - NAMED} more` : ''
    return [
      ...(meant.length === 0 || meant.includes(text) ? [] : [`Did you mean ${meant.join(' or ')}?`]),
      `There are: ${known.slice(0, NAMED).join(', ')}${more}`,
    ]
  }

  #object(className: string, id: string): DurableObject {
    const key = objectKey(className, id)
    const known = this.objects.get(key)
    if (known !== undefined) return known
    const stored = this.#stored.get(key)
    this.#stored.delete(key)
    const ofClass = this.class(className)
    const { engine, report, reloading, folder } = this.#options
    const object = new DurableObject({
      key,
      className,
      id,
      engine,
      relay: this.#options.relay(),
      logFile: join(folder, `${className}-${id}.log`),
      images: Object.keys(ofClass.config.images),
      reloading,
      refusal: () => this.#refusal(ofClass),
      life: (start) =>
        this.#life(ofClass, id, start, (container) => {
          // The life that is starting: lines that come late, after the next start, are still its own.
          if ('life' in object.state) this.#containers.set(container, { object, life: object.state.life })
        }),
      onContainer: (container) => {
        report({ type: 'container', object: key, container })
        if (container.state === 'running' || container.state === 'failed') ofClass.warm()
      },
      onMemory: (memory) => {
        if (memory === 'in-memory') this.#options.remember(key, object)
        report({ type: 'object', object: this.#model(object, className, memory) })
      },
      onAdvice: (text) => report({ type: 'advice', object: key, text }),
      onClosing: (closed) => this.#track(closed),
    })
    object.name = stored?.name
    object.wokeAt = stored?.wokeAt
    this.objects.set(key, object)
    return object
  }

  #life(
    ofClass: ContainerClass,
    id: string,
    start: Parameters<ContainerClass['image']>[0],
    bound: (container: string) => void,
  ) {
    let image: ReturnType<ContainerClass['image']> | undefined
    const limits = ofClass.limits(start)
    return {
      memoryMib: limits?.memoryMib,
      image: async () => {
        image = ofClass.image(start)
        const ready = await image
        return { name: ready.name, command: rootCommand(ready.command, start, { id, project: ofClass.project }) }
      },
      container: async () => {
        const prepared = await ofClass.container(await (image ?? ofClass.image(start)), start)
        bound(prepared.id)
        void prepared.silent.then(() => this.#containers.delete(prepared.id))
        return prepared
      },
    }
  }

  #refusal(ofClass: ContainerClass): { code: 'too-many-instances'; message: string } | undefined {
    const { className } = ofClass.config
    const running = [...this.objects.values()].filter(
      (o) => o.key.startsWith(`${className}/`) && o.life !== undefined,
    ).length
    if (running < ofClass.maxInstances) return undefined
    return {
      code: 'too-many-instances',
      message: `${className} has ${running} containers running, and max_instances is ${ofClass.maxInstances}.`,
    }
  }

  #model(object: DurableObject, className: string, memory: 'in-memory' | 'asleep'): ObjectModel {
    return {
      key: object.key,
      className,
      id: object.id,
      ...(object.name === undefined ? {} : { name: object.name }),
      memory,
      ...(object.wokeAt === undefined ? {} : { wokeAt: object.wokeAt }),
      container: object.state,
    }
  }

  #track(closed: Promise<void>): void {
    const tracked = closed.catch((error: unknown) => {
      this.#options.report({
        type: 'advice',
        text: `A container could not be removed: ${error instanceof Error ? error.message : error}`,
      })
    })
    this.#closing.add(tracked)
    void tracked.finally(() => this.#closing.delete(tracked))
  }
}

function labelOf(object: Identity): string {
  return `${object.key.split('/')[0]}/${object.name ?? object.id}`
}

/** @param as how names are compared: as they are, or in another form. */
function matches(object: Identity, text: string, as: (name: string) => string = (name) => name): boolean {
  const [className = '', ...rest] = as(text).split('/')
  const inClass = rest.length > 0 && as(object.key).startsWith(`${className}/`)
  const wanted = inClass ? rest.join('/') : as(text)
  if (wanted === '') return inClass
  const name = object.name === undefined ? undefined : as(object.name)
  return name === wanted || object.id === wanted || (wanted.length >= 4 && object.id.startsWith(wanted))
}

function inLowerCase(name: string): string {
  return name.toLowerCase()
}
