/** The wire between the session (wrangler/child.ts) and the wrangler child (wrangler/main.ts): Node's IPC, one message a line here. */

/** A container as the config has it, paths absolute. */
export interface ContainerConfig {
  readonly className: string
  /** Name in `containers[]`. */
  readonly name: string
  /** An image reference, or an absolute path of a Dockerfile. */
  readonly image:
    | { readonly reference: string }
    | { readonly dockerfile: string; readonly context: string; readonly args: Readonly<Record<string, string>> }
  /** `images` of a newer config: name to the same. Empty where there is none. */
  readonly images: Readonly<
    Record<
      string,
      | { readonly reference: string }
      | { readonly dockerfile: string; readonly context: string; readonly args: Readonly<Record<string, string>> }
    >
  >
  readonly instanceType: string | { readonly vcpu?: number; readonly memoryMib?: number; readonly diskMb?: number }
  /** undefined: the platform's default. */
  readonly maxInstances: number | undefined
}

/** What the child found in a project. */
export interface ProjectConfig {
  readonly name: string
  /** Absolute path of the config file. */
  readonly config: string
  readonly wranglerVersion: string
  readonly main: string
  readonly compatibilityDate: string
  readonly compatibilityFlags: readonly string[]
  readonly containers: readonly ContainerConfig[]
  /** Classes of Durable Objects of this Worker, with and without a container. */
  readonly classes: readonly string[]
}

/** Session to child. */
export type ToChild =
  /** The first message. The child reads the config and answers `config` or `failed`. */
  | {
      readonly type: 'read'
      readonly version: number
      readonly config: string
      readonly env?: string
      readonly session: string
      readonly engine?: EngineAddress
      /** Files of the session, which an orphaned child removes: its folder, and the lock where it still names this session. */
      readonly files?: { readonly folder: string; readonly lock: string }
    }
  /** The child generates the entry and starts the Worker. Answered by `ready`, or `failed`. */
  | {
      readonly type: 'start'
      readonly entry: {
        readonly base: string
        readonly token: string
        readonly workerModule: string
        readonly folder: string
      }
      readonly port: number
      readonly host: string
      readonly inspectorPort: number
      readonly logLevel: string
      readonly vars: Readonly<Record<string, string>> /** Folder where the session's Workers find each other. */
      readonly registry?: string
    }
  /** Where the session's containers are, for the sweep. The config is read before an engine is found. */
  | { readonly type: 'engine'; readonly session: string; readonly engine: EngineAddress }
  /** Which line of the developer's code a stack leads to. Answered by `traced`. */
  | { readonly type: 'trace'; readonly id: number; readonly stack: string }
  /** Loads the Worker anew, or tries again to start it. Answered by `reloaded`, `ready` or `build-failed`. */
  | { readonly type: 'reload' }
  /** Ends the Worker and the child. Losing the IPC channel means the same, and sweeping the session's containers and files. */
  | { readonly type: 'dispose' }

/** How to reach the engine, for the sweep; what dockerode's constructor takes, JSON. */
export type EngineAddress = Readonly<Record<string, unknown>>

/** Child to session. */
export type FromChild =
  | { readonly type: 'config'; readonly project: ProjectConfig }
  | { readonly type: 'ready'; readonly url: string; readonly inspectorUrl: string | undefined }
  | { readonly type: 'reloading' }
  | { readonly type: 'reloaded'; readonly tookMs: number }
  /** `source` is `src/index.ts:21`, absent where it can't be told. */
  | { readonly type: 'traced'; readonly id: number; readonly source?: string }
  /** `serving`: the last good version goes on answering. */
  | { readonly type: 'build-failed'; readonly message: string; readonly serving: boolean }
  /** The config changed so that containers differ; the session must read it again. */
  | { readonly type: 'config-changed' }
  | {
      readonly type: 'log'
      readonly level: 'debug' | 'info' | 'log' | 'warn' | 'error'
      readonly from: 'worker' | 'wrangler'
      readonly text: string
    }
  /** The end: code is one of ErrorCode. The child exits after it. */
  | {
      readonly type: 'failed'
      readonly code: string
      readonly message: string
      readonly advice: readonly string[]
      readonly detail: Readonly<Record<string, unknown>>
    }

export const CHILD_VERSION = 1
