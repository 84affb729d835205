/** What happens in a session, in one order. Views are functions of these; nothing inside the runtime decides by them. */
import type {
  AlarmModel,
  ClassModel,
  ContainerState,
  EngineState,
  ImageState,
  ObjectKey,
  ObjectModel,
  PlainClassModel,
  PortModel,
  ProcessModel,
  ProjectModel,
  Usage,
  WorkerState,
} from './model.ts'

/** Lifecycle hooks of a class that the Worker's side reports. */
export type HookName = 'constructor' | 'onStart' | 'onStop' | 'onError' | 'onActivityExpired' | 'alarm' | 'fetch'

/** An event without its number and time: what a room reports. */
export type Happening =
  | { readonly type: 'engine'; readonly engine: EngineState }
  /** A config was read: its project, its classes, and the objects that storage has, are known from now on. */
  | {
      readonly type: 'project'
      readonly project: ProjectModel
      readonly classes: readonly ClassModel[]
      readonly objects: readonly ObjectModel[]
    }
  | { readonly type: 'worker'; readonly project: string; readonly worker: WorkerState }
  | {
      readonly type: 'worker-log'
      readonly project: string
      readonly level: 'debug' | 'info' | 'log' | 'warn' | 'error'
      readonly text: string
    }
  | { readonly type: 'image'; readonly className: string; readonly image: ImageState }
  | { readonly type: 'image-output'; readonly className: string; readonly text: string }
  | { readonly type: 'object'; readonly object: ObjectModel }
  | { readonly type: 'container'; readonly object: ObjectKey; readonly container: ContainerState }
  /** While someone watches: what a container uses and listens at. Undefined when it has ended. */
  | {
      readonly type: 'watched'
      readonly object: ObjectKey
      readonly usage: Usage | undefined
      readonly ports: readonly PortModel[] | undefined
    }
  | { readonly type: 'alarm'; readonly object: ObjectKey; readonly alarm: AlarmModel | undefined }
  | { readonly type: 'plain-classes'; readonly classes: readonly PlainClassModel[] }
  | {
      readonly type: 'container-log'
      readonly object: ObjectKey
      readonly life: number
      readonly stream: 'stdout' | 'stderr'
      readonly text: string
    }
  | {
      readonly type: 'hook'
      readonly object: ObjectKey
      readonly hook: HookName
      readonly edge: 'begin' | 'end'
      readonly call: number
      readonly detail?: string
      readonly tookMs?: number
      readonly error?: string
    }
  | { readonly type: 'advice'; readonly object?: ObjectKey; readonly text: string }
  /** It started, ended, or (at most once a second) moved bytes. */
  | { readonly type: 'process'; readonly process: ProcessModel }
  | { readonly type: 'disposed' }

/** An event: `seq` rises by one, `at` is milliseconds since the epoch. */
export type SessionEvent = Happening & { readonly seq: number; readonly at: number }
