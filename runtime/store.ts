/** What happened becomes what is: the model of a session as a function of its events. */
import { Emitter } from './base/emitter.ts'
import type { Happening, SessionEvent } from './protocol/events.ts'
import type {
  ClassModel,
  ContainerState,
  ObjectModel,
  ProcessModel,
  ProjectModel,
  SessionModel,
} from './protocol/model.ts'

/** The model after one more event. Parts that it does not touch keep their identity. */
export function reduce(model: SessionModel, event: Happening): SessionModel {
  switch (event.type) {
    case 'engine':
      return { ...model, engine: event.engine }
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

/** Numbers events, keeps the model, tells listeners. */
export class Store {
  #model: SessionModel
  #seq = 0
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

  get model(): SessionModel {
    return this.#model
  }

  /** Hears every event from now on; the model is already what it says. The function returned ends it. */
  onEvent(listener: (event: SessionEvent) => void): () => void {
    return this.#listeners.on(listener)
  }

  /** A project, its classes, and the objects that storage knows are known now. */
  addProject(project: ProjectModel, classes: readonly ClassModel[], objects: readonly ObjectModel[] = []): void {
    this.#model = {
      ...this.#model,
      projects: [...this.#model.projects, project],
      classes: [...this.#model.classes, ...classes],
      objects: [...this.#model.objects, ...objects],
    }
  }

  report(happening: Happening): void {
    this.#model = reduce(this.#model, happening)
    this.#seq += 1
    try {
      this.#listeners.emit({ ...happening, seq: this.#seq, at: this.#now() })
    } catch (error) {
      // A view's mistake must not become a container's: it is thrown where nobody of ours is waiting.
      queueMicrotask(() => {
        throw error
      })
    }
  }
}
