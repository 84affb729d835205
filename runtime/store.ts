/** What happened becomes what is: the model of a session as a function of its events. */
import { Emitter } from './base/emitter.ts'
import type { Happening, SessionEvent } from './protocol/events.ts'
import type { ContainerState, ObjectModel, ProcessModel, SessionModel } from './protocol/model.ts'

/** The model after one more event. Parts that it does not touch keep their identity. */
export function reduce(model: SessionModel, event: Happening): SessionModel {
  switch (event.type) {
    case 'engine':
      return { ...model, engine: event.engine }
    case 'project':
      return {
        ...model,
        projects: [...model.projects, event.project],
        classes: [...model.classes, ...event.classes],
        objects: [...model.objects, ...event.objects],
      }
    case 'worker':
      return {
        ...model,
        projects: changed(
          model.projects,
          (p) => p.name === event.project,
          (p) => ({ ...p, worker: event.worker }),
        ),
      }
    case 'image':
      return {
        ...model,
        classes: changed(
          model.classes,
          (c) => c.className === event.className,
          (c) => ({ ...c, image: event.image }),
        ),
      }
    case 'object': {
      const known = model.objects.some((o) => o.key === event.object.key)
      if (!known) return { ...model, objects: [...model.objects, event.object] }
      return {
        ...model,
        objects: changed(
          model.objects,
          (o) => o.key === event.object.key,
          // What other events tell stays as they told it.
          ({ usage, ports, alarm }) => ({ ...event.object, ...present({ usage, ports, alarm }) }),
        ),
      }
    }
    case 'container':
      return {
        ...model,
        objects: changed(
          model.objects,
          (o) => o.key === event.object,
          (o) => withContainer(o, event.container),
        ),
      }
    case 'watched':
      return {
        ...model,
        objects: changed(
          model.objects,
          (o) => o.key === event.object,
          ({ usage: _, ports: __, ...o }) => ({ ...o, ...present({ usage: event.usage, ports: event.ports }) }),
        ),
      }
    case 'alarm':
      return {
        ...model,
        objects: changed(
          model.objects,
          (o) => o.key === event.object,
          ({ alarm: _, ...o }) => ({ ...o, ...present({ alarm: event.alarm }) }),
        ),
      }
    case 'plain-classes':
      return { ...model, plainClasses: event.classes }
    case 'process': {
      const { process } = event
      const known = model.processes.some((p) => p.id === process.id)
      const processes = known
        ? changed(
            model.processes,
            (p) => p.id === process.id,
            () => process,
          )
        : [...model.processes, process]
      return { ...model, processes: forgetting(processes) }
    }
    default:
      return model
  }
}

/** One whose container has ended uses nothing, listens nowhere and does not go to sleep any more. */
function withContainer(object: ObjectModel, container: ContainerState): ObjectModel {
  if (container.state === 'running' || container.state === 'stopping') return { ...object, container }
  const { usage: _, ports: __, alarm, ...rest } = object
  return { ...rest, container, ...(alarm === undefined || alarm.why === 'sleepAfter' ? {} : { alarm }) }
}

/** A value without the fields that are undefined. */
function present<T extends object>(value: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as {
    [K in keyof T]?: NonNullable<T[K]>
  }
}

/** Processes that ended and are still in the model; the oldest go first. */
const ENDED_PROCESSES = 200

function forgetting(processes: readonly ProcessModel[]): readonly ProcessModel[] {
  const ended = processes.filter((p) => p.end !== undefined)
  if (ended.length <= ENDED_PROCESSES) return processes
  const oldest = ended[0]
  return processes.filter((p) => p !== oldest)
}

function changed<T>(list: readonly T[], which: (item: T) => boolean, change: (item: T) => T): readonly T[] {
  return list.some(which) ? list.map((item) => (which(item) ? change(item) : item)) : list
}

/** Numbers events, keeps the model, tells listeners: every one of them all events, in one order. */
export class Store {
  #model: SessionModel
  /** Of the last event that was numbered; those that wait are not in the model yet. */
  #last = 0
  #seq = 0
  /** What was reported by a listener that was being told of an event: it comes after that one for everyone. */
  readonly #waiting: SessionEvent[] = []
  #telling = false
  readonly #listeners = new Emitter<SessionEvent>()
  readonly #now: () => number

  constructor(session: string, now: () => number = Date.now) {
    this.#now = now
    this.#model = {
      session,
      engine: { state: 'connecting' },
      projects: [],
      classes: [],
      plainClasses: [],
      objects: [],
      processes: [],
    }
  }

  /** One that goes on from a model, as it was after the event with this number. */
  static at(model: SessionModel, seq: number): Store {
    const store = new Store(model.session)
    store.#model = model
    store.#seq = seq
    store.#last = seq
    return store
  }

  get model(): SessionModel {
    return this.#model
  }

  /** Number of the last event that the model says. */
  get seq(): number {
    return this.#seq
  }

  /** Hears every event from now on; the model is already what it says. The function returned ends it. */
  onEvent(listener: (event: SessionEvent) => void): () => void {
    return this.#listeners.on(listener)
  }

  report(happening: Happening): void {
    this.take({ ...happening, seq: this.#last + 1, at: this.#now() })
  }

  /** Takes in an event that was numbered elsewhere. */
  take(event: SessionEvent): void {
    this.#last = event.seq
    this.#waiting.push(event)
    if (this.#telling) return
    this.#telling = true
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) this.#tell(next)
    this.#telling = false
  }

  #tell(event: SessionEvent): void {
    this.#model = reduce(this.#model, event)
    this.#seq = event.seq
    try {
      this.#listeners.emit(event)
    } catch (error) {
      // A view's mistake must not become a container's: it is thrown where nobody of ours is waiting.
      queueMicrotask(() => {
        throw error
      })
    }
  }
}
