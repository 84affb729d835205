/**
 * The wire between the session and its relay thread (relay/thread.ts, relay/main.ts): calls with answers both ways, and
 * news from the relay. Bytes of containers stay in the relay; only log lines and facts come over.
 */
import type { EngineAddress } from './child.ts'
import type { Open } from './client.ts'
import type { ObjectKey, ProcessId, ProcessModel } from './model.ts'
import type { Attached, Call, Note, Outcome, Push, Refusal } from './worker.ts'

/** What the app is started with, for RUN. */
export interface RunCommand {
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  readonly user: string
}

/** How RUN went. `errno` and `step` are the agent's (protocol/agent.ts). */
export type RunResult = { readonly pid: number } | { readonly errno: number; readonly step: number }

/** What the session asks of the relay. */
export interface RelayCalls {
  /** Opens the loopback server that isolates talk to. Output of processes that is too long for memory goes to `folder`. */
  listen(args: { token: string; clientToken: string; folder: string }): { port: number }
  /** Dials the gateway's published port; called again, it dials the one that replaced it. */
  openGateway(args: { host: string; port: number; secret: Uint8Array }): void
  internet(args: { address: string; allowed: boolean }): void
  /** Keeps one more network, as `a.b.c.d/n`, out of every sandbox's reach. */
  refuse(args: { network: string }): void
  /** Attaches to a container that is created and not yet started. Its lines come as `output`, its end as `released`. */
  hold(args: { engine: EngineAddress; container: string }): void
  /** Claims a started container and waits for its agent. @throws where none comes within 10 s. */
  claim(args: { container: string; secret: Uint8Array; gatewayAddress: string }): void
  /** Ends what hold() opened; the container ends with it. `why`, in words, is what its processes reject with. */
  release(args: { container: string; why?: string }): void
  /** `object` and `life` are whom execs in it belong to. */
  run(args: { container: string; command: RunCommand; object: ObjectKey; life: number }): RunResult
  signal(args: { container: string; signal: number }): void
  /** Text of a kernel's fact (protocol/agent.ts Fact), empty where the agent does not answer within 1 s. */
  ask(args: { container: string; fact: number }): string
  /** What there is to see in a container now, and which ports of its object's have answered HTTP. */
  look(args: { container: string; object: ObjectKey }): Look
  /** Starts a process for a person; an empty argv is the best shell. Its output is told as `process-output`, and more as it is taken. */
  openProcess(args: { object: ObjectKey; open: Omit<Open, 'version' | 'object'> }): ProcessModel
  /** As openProcess, in a container that runs something else than its app; what that would be started as is inherited all the same. */
  openAside(args: {
    container: string
    command: RunCommand
    object: ObjectKey
    open: Omit<Open, 'version' | 'object'>
  }): ProcessModel
  /** Answered when more may come. */
  writeProcess(args: { process: ProcessId; bytes: Uint8Array }): void
  endProcess(args: { process: ProcessId }): void
  signalProcess(args: { process: ProcessId; signal: number }): void
  resizeProcess(args: { process: ProcessId; cols: number; rows: number }): void
  /** The reader of `process-output`, or the follower of that number, took so many bytes. */
  takenOfProcess(args: { process: ProcessId; bytes: number; follow?: number }): void
  /** What is kept of a process's output; with `follow`, a number not in use, what it writes from now on is told to it too. */
  outputOfProcess(args: { process: ProcessId; follow?: number }): {
    readonly head: readonly OutputPart[]
    readonly lostBytes: number
    readonly tail: readonly OutputPart[]
  }
  unfollowProcess(args: { follow: number }): void
  /** Opens a port of an object's container to programs of this machine; `id` is the caller's choice, for unforward(). */
  forward(args: { id: string; object: ObjectKey; port: number }): { url: string }
  unforward(args: { id: string }): void
  /** Where requests of an object go now; null: nowhere. */
  bind(args: { object: string; container: string | null }): void
  /** Asks something of an instance; its answer comes as a note. @throws where it is gone */
  push(args: { instance: string; push: Push }): void
  /** Closes the instance's socket and long polls, so that workerd may evict it. */
  evict(args: { instance: string }): void
}

/** What the relay asks of the session. */
export interface SessionCalls {
  attach(args: { className: string; id: string; name?: string; isolate?: string }): Attached & { object: string }
  /** The line of the developer's code that a stack of the isolate leads to, or null. */
  source(args: { stack: string }): string | null
  /** The object that someone means with `Class/name`. @throws MoorageError */
  find(args: { text: string }): ObjectKey
  /** Puts a static busybox into a container. */
  busybox(args: { container: string }): { path: string; note: string }
  /** Why a life of an object ended, in a sentence, or null where that is not known. Waits a little for the end. */
  why(args: { object: ObjectKey; life: number }): string | null
  call(args: { instance: string; call: Call }): { value: unknown } | { refusal: Refusal }
  end(args: { instance: string; life: number }): Outcome
}

/** What a container uses and listens at, as the kernel says it (protocol/agent.ts Fact); empty where its agent does not answer. */
export interface Look {
  readonly cpu: string
  readonly memory: string
  readonly memoryStat: string
  readonly listening: string
  /** Ports that have answered HTTP to a request that someone made. */
  readonly http: readonly number[]
}

/** A piece of what a process wrote. */
export interface OutputPart {
  readonly stream: 'stdout' | 'stderr'
  readonly bytes: Uint8Array
}

/** What the relay tells. */
export type RelayNews =
  | { readonly news: 'agent'; readonly container: string; readonly up: boolean }
  /**
   * The agent of a container does not come back although the way to it is there, told early, when the container may just be
   * ending, and later; or it is there and does not answer, told again and again.
   */
  | { readonly news: 'agent-lost'; readonly container: string; readonly lost: 'just-now' | 'for-long' | 'silent' }
  | {
      readonly news: 'output'
      readonly container: string
      readonly stream: 'stdout' | 'stderr'
      readonly lines: readonly string[]
    }
  | { readonly news: 'released'; readonly container: string }
  | { readonly news: 'gateway-down'; readonly message: string }
  | { readonly news: 'detached'; readonly instance: string }
  | { readonly news: 'note'; readonly instance: string; readonly note: Note }
  /** A request found nobody listening. At most one a second for an object. */
  | { readonly news: 'refused'; readonly object: string; readonly port: number }
  | { readonly news: 'process'; readonly process: ProcessModel }
  /** For who opened the process, or for one that follows it: that one was not told `lostBytes` before, as it took too little. */
  | {
      readonly news: 'process-output'
      readonly process: ProcessId
      readonly part: OutputPart
      readonly follow?: number
      readonly lostBytes?: number
    }
  /** All output of a process that openProcess() started was told, and it has ended. */
  | { readonly news: 'process-read'; readonly process: ProcessId }
  | { readonly news: 'process-note'; readonly object: ObjectKey; readonly text: string }
  | { readonly news: 'port-open'; readonly object: string; readonly open: number }
