/** What a session knows: objects and their containers, as plain values. Times are milliseconds since the epoch, sizes bytes. */

declare const brand: unique symbol
type Brand<T, B> = T & { readonly [brand]: B }

/** `Class/64 hex digits`: one Durable Object of a session. */
export type ObjectKey = Brand<string, 'ObjectKey'>
/** The engine's id of a container. */
export type ContainerId = Brand<string, 'ContainerId'>
/** One life of an object in an isolate. Unguessable: whoever names it speaks for the object. */
export type InstanceId = Brand<string, 'InstanceId'>

/** One exec of a session. Unguessable. */
export type ProcessId = Brand<string, 'ProcessId'>

/** Makes the key of an object. */
export function objectKey(className: string, id: string): ObjectKey {
  return `${className}/${id}` as ObjectKey
}

/** How far a start came. */
export type Phase = 'image' | 'create' | 'start' | 'agent' | 'port'

/** Why a container ended or did not start. */
export type Reason =
  | { readonly kind: 'exited'; readonly exitCode: number; readonly signal?: number }
  | { readonly kind: 'out-of-memory'; readonly exitCode: number }
  | { readonly kind: 'destroyed'; readonly by: 'worker' | 'person'; readonly value?: string }
  | { readonly kind: 'signalled'; readonly by: 'worker' | 'person'; readonly sent: number; readonly exitCode: number }
  | { readonly kind: 'idle'; readonly exitCode: number }
  | { readonly kind: 'abort' | 'eviction' }
  | { readonly kind: 'image-rebuilt' }
  | { readonly kind: 'engine-gone' | 'session-ended' | 'removed-outside' }
  /** `silent`: it was there and did not answer. */
  | { readonly kind: 'agent-lost'; readonly silent?: true }
  | { readonly kind: 'start-failed'; readonly phase: Phase; readonly code: string; readonly message: string }

/** The end of one life of a container. */
export interface End {
  readonly at: number
  readonly reason: Reason
  /** One sentence: what happened. */
  readonly message: string
  /** What to do about it, a sentence each; may be empty. */
  readonly advice: readonly string[]
  /** The last lines of the log, at most 50. */
  readonly lastLog: readonly string[]
}

/** The container of an object, as it is now. */
export type ContainerState =
  | { readonly state: 'none' }
  | { readonly state: 'starting'; readonly life: number; readonly since: number; readonly phase: Phase }
  | {
      readonly state: 'running'
      readonly life: number
      readonly since: number
      readonly containerId: ContainerId
      readonly image: string
      readonly internet: boolean
      readonly startedMs: number
      /** What PID 1 was started as. */
      readonly root: readonly string[]
    }
  | { readonly state: 'stopping'; readonly life: number; readonly since: number; readonly how: string }
  | { readonly state: 'stopped' | 'failed'; readonly life: number; readonly end: End }

/** What a running container uses. Measured while someone watches (`Session.watch`), at most once a second. */
export interface Usage {
  /** Of one core: 0.03 is 3 %. */
  readonly cpu: number
  readonly memoryBytes: number
}

/** A port that something in a container listens at. Seen while someone watches. */
export interface PortModel {
  readonly port: number
  readonly protocol: 'http' | 'inspector' | 'tcp'
}

/** The next alarm of an object, and what it is for where that can be told. */
export interface AlarmModel {
  readonly at: number
  readonly why: 'alarm' | 'sleepAfter' | 'schedule'
}

/** One Durable Object of a class with a container. */
export interface ObjectModel {
  readonly key: ObjectKey
  readonly className: string
  readonly id: string
  /** The name it was made from, where the platform tells it. */
  readonly name?: string
  readonly memory: 'in-memory' | 'asleep'
  /** When it was in memory last, where that is known. */
  readonly wokeAt?: number
  readonly container: ContainerState
  readonly usage?: Usage
  readonly ports?: readonly PortModel[]
  readonly alarm?: AlarmModel
}

/** One exec: a process that the Worker or a person started in an object's container. Values of its environment are not kept. */
export interface ProcessModel {
  readonly id: ProcessId
  readonly object: ObjectKey
  readonly life: number
  readonly command: readonly string[]
  readonly cwd: string
  readonly user: string
  readonly by: 'worker' | 'person'
  /** Where the Worker's code called exec, where that can be told: `src/index.ts:21`. */
  readonly source?: string
  readonly terminal: boolean
  /** Whether its stdin can be typed into. */
  readonly stdinOpen: boolean
  readonly startedAt: number
  readonly pid: number
  /** Set when it ended. */
  readonly end?: {
    readonly at: number
    readonly exitCode?: number
    readonly signal?: number
    /** Set where it did not end by itself: the container did, or the link to it was lost. */
    readonly lost?: string
  }
  readonly bytesIn: number
  readonly bytesOut: number
}

/** The image of a class. */
export type ImageState =
  | { readonly state: 'unknown' }
  | {
      readonly state: 'preparing'
      readonly how: 'build' | 'pull'
      readonly since: number
      readonly step?: number
      readonly steps?: number
      readonly text: string
    }
  | {
      readonly state: 'ready'
      readonly image: string
      readonly digest: string
      readonly tookMs: number
      readonly sizeBytes: number
    }
  | {
      readonly state: 'failed'
      readonly message: string
      readonly file?: string
      readonly line?: number
      /** The Dockerfile's instruction that failed, and the exit code of what it ran. */
      readonly instruction?: string
      readonly exitCode?: number
      readonly lastOutput: readonly string[]
      /** What to do. */
      readonly advice: readonly string[]
      readonly previous?: string
    }

/** A Durable Object class with a container. */
export interface ClassModel {
  readonly className: string
  readonly project: string
  readonly maxInstances: number
  readonly instanceType: string
  /** The Dockerfile of its image, absolute; undefined where the image is only referred to. */
  readonly dockerfile?: string
  /** What a container of it may use; undefined where limits are off. */
  readonly limits?: { readonly cpus: number; readonly memoryBytes: number }
  readonly image: ImageState
}

/** A Durable Object class without a container. */
export interface PlainClassModel {
  readonly className: string
  readonly project: string
  /** How many of it have storage. */
  readonly objects: number
}

/** The Worker of a project. */
export type WorkerState =
  | { readonly state: 'starting' | 'reloading' }
  | { readonly state: 'ready'; readonly url: string; readonly inspectorUrl: string | undefined }
  | { readonly state: 'failed'; readonly message: string; readonly serving: boolean }

export interface ProjectModel {
  readonly name: string
  readonly config: string
  /** The Worker's main module, absolute. */
  readonly main: string
  readonly worker: WorkerState
}

/** The engine that containers run on. */
export type EngineState =
  | { readonly state: 'connecting' }
  | { readonly state: 'ready'; readonly name: string; readonly version: string; readonly arch: string }
  | { readonly state: 'lost'; readonly message: string }

/** All of it. A new value each time something changes; unchanged parts keep their identity. */
export interface SessionModel {
  readonly session: string
  readonly engine: EngineState
  readonly projects: readonly ProjectModel[]
  readonly classes: readonly ClassModel[]
  readonly plainClasses: readonly PlainClassModel[]
  readonly objects: readonly ObjectModel[]
  /** Those that run, and the last ones that ended. */
  readonly processes: readonly ProcessModel[]
}
