/**
 * The wire between an isolate (worker/link.ts) and the relay (link/worker.ts): HTTP/1.1 on a loopback port of the relay.
 *
 * Every request bears TOKEN. Names of ours begin with `x-moorage-`, so that a request for a container keeps all its own
 * headers, `authorization` included; none of ours goes on into a container.
 *
 *     GET  /attach      Upgrade: websocket. A new instance says who it is (CLASS, ID, NAME). The 101 carries ATTACHED, JSON
 *                       of `Attached`, after the runtime knows the object's state. The socket is the instance's sign of
 *                       life; the isolate sends `Note`s and `Ahead`s as JSON text over it and expects nothing, the runtime `Push`es,
 *                       which wait while the object is blocked. The runtime closes it when the object is evicted: the next
 *                       event of the object attaches again.
 *     POST /call        INSTANCE, SEQ; JSON of a `Call`. 200 with JSON `{value}`, or 400 with JSON of a `Refusal`.
 *     GET  /end         INSTANCE, LIFE. Long poll: answers when that life of the container has ended, JSON of `Outcome`.
 *     any  /port/<n>    INSTANCE, SEQ, URL: one HTTP request (or upgrade) into the container; everything else in it is the
 *                       container's. An answer of ours instead of the container's bears ERROR, JSON of a `Refusal`, status 502.
 *     CONNECT i:n       raw TCP to port n of the container of instance i; TOKEN, SEQ and TUNNEL as headers. No answer: bytes
 *                       both ways at once, so that the isolate can hand its socket's own streams to the Worker. Reset
 *                       where nothing listens.
 *     GET  /tunnel      INSTANCE, TUNNEL. The head comes when that connection is made (200) or refused (502), the body,
 *                       empty, ends with the connection.
 *
 *     POST /exec        INSTANCE, SEQ; JSON of an `ExecRequest`. 200: the body is lines of JSON: first `Started`, and when the
 *                       process ends, whether or not its output was read, `Ended`. 400 with JSON of a `Refusal`: not started.
 *     GET  /process/<n>/stdout, /process/<n>/stderr
 *                       INSTANCE. The stream of process n, once; 410 where it is not to be had any more.
 *     PUT  /process/<n>/stdin
 *                       INSTANCE, SEQ of the exec: may arrive before that. The body is for stdin, its end is stdin's. Answered
 *                       204 when all was taken; broken off when the process has ended.
 *     POST /process/<n>/tell
 *                       INSTANCE, SEQ; JSON of a `Tell`; 204.
 *
 * A request of an object stays in its isolate while the object's input gate is closed, also one that was made before; what
 * is sent over the socket does not. So a numbered request whose place a later one may wait for is sent there too, as `Ahead`,
 * and taken up by whichever comes first; the answer is the request's.
 *
 * SEQ orders what one instance asks: a call is taken up after the one before it; a port request or connection carries the
 * last SEQ given out, and waits until that call was taken up. Every answer bears RUNNING, `0` or `1`.
 */

/** Name of the Worker's binding that leads to the relay's port. */
export const RELAY = 'MOORAGE_RELAY'

export const TOKEN = 'x-moorage-token'
export const CLASS = 'x-moorage-class'
export const ID = 'x-moorage-id'
/** encodeURIComponent of the object's name; absent where it has none. */
export const NAME = 'x-moorage-name'
/** Of /attach: which isolate this is; another one after each reload. */
export const ISOLATE = 'x-moorage-isolate'
export const INSTANCE = 'x-moorage-instance'
export const SEQ = 'x-moorage-seq'
export const LIFE = 'x-moorage-life'
export const URL_HEADER = 'x-moorage-url'
/** Of a port request: names of headers, with commas, that workerd adds and the caller did not set. They go no further. */
export const STRIP = 'x-moorage-strip'
/** Of a port request: prefix of headers that would not come through as they are. Without it they go on. */
export const OWN = 'x-moorage-own-'
/** Of a CONNECT and its GET /tunnel: an id of the isolate's choice, unguessable. */
export const TUNNEL = 'x-moorage-tunnel'
export const RUNNING = 'x-moorage-running'
/** encodeURIComponent of JSON of a Refusal. */
export const ERROR = 'x-moorage-error'
/** encodeURIComponent of JSON of Attached. */
export const ATTACHED = 'x-moorage-attached'

/** What a new instance is told. */
export interface Attached {
  readonly instance: string
  readonly running: boolean
  /** The life that runs, or 0. */
  readonly life: number
  /** Names of `images` in the config, for ctx.container.images. */
  readonly images: readonly string[]
}

/** start()'s options after the isolate's checks. */
export interface StartOptions {
  readonly entrypoint?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly enableInternet?: boolean
  readonly labels?: Readonly<Record<string, string>>
  readonly image?: string
  readonly instance?: string | { readonly vcpu?: number; readonly memoryMib?: number; readonly diskMb?: number }
  readonly hardTimeout?: number
}

/** What an instance asks of the runtime, numbered by SEQ from 1. */
export type Call =
  /** Answered when the app runs or the start failed; `life` is the isolate's count, one more than the last it knew. */
  | { readonly method: 'start'; readonly life: number; readonly options: StartOptions }
  /** Answered when the container is gone. `value` says destroy's value in words, for the log. */
  | { readonly method: 'destroy'; readonly value?: string }
  | { readonly method: 'signal'; readonly signal: number }
  | { readonly method: 'setInactivityTimeout'; readonly durationMs: number }
  /** Answered with `{labels, image}` or null. */
  | { readonly method: 'inspect' }

/** One exec. `process` is the isolate's own number for it, not in use. */
export interface ExecRequest {
  readonly process: number
  readonly cmd: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly cwd?: string
  readonly user?: string
  readonly stdin: boolean
  readonly stdout: 'pipe' | 'ignore'
  readonly stderr: 'pipe' | 'ignore' | 'combined'
  readonly pty?: { readonly cols: number; readonly rows: number }
  /** Where the Worker's code called exec(), as a stack has it. */
  readonly stack?: string
}

/** The first line of an answer to /exec. */
export interface Started {
  readonly pid: number
}

/** The last line of an answer to /exec. */
export type Ended = { readonly exitCode: number } | { readonly failure: Refusal }

/** What an instance tells a process. */
export type Tell = { readonly signal: number } | { readonly cols: number; readonly rows: number }

/** How a life ended, for monitor(). */
export interface Outcome {
  readonly life: number
  /** The root process's exit code; absent where it never ran. */
  readonly exitCode?: number
  /** Set where it never ran: the message of monitor()'s error. */
  readonly failure?: Refusal
}

/** Why something was not done. `message` is the platform's phrase where it has one; `cause` the whole story. */
export interface Refusal {
  readonly message: string
  readonly name?: 'Error' | 'TypeError' | 'RangeError'
  readonly cause?: string
  readonly retryable?: boolean
}

/** What an instance tells without waiting for an answer. */
export type Note =
  | {
      readonly note: 'hook'
      readonly hook: string
      readonly edge: 'begin' | 'end'
      readonly call: number
      readonly detail?: string
      readonly tookMs?: number
      readonly error?: string
    }
  /** The object's next alarm is this, or, without `at`, none. */
  | { readonly note: 'alarm'; readonly at?: number; readonly why?: 'alarm' | 'sleepAfter' | 'schedule' }
  /** What a Push asked for is over; `error` says why it failed. */
  | { readonly note: 'ran'; readonly push: number; readonly error?: string }
  /** The number of events of the object under way went from 0 to 1, or back to 0. */
  | { readonly note: 'busy' | 'idle' }

/**
 * What the runtime asks of an instance, as JSON text over its socket: to run a hook of the developer's object, or to start
 * its container with what it was started with last, which only a Container can. Answered by a `ran`. `push` is a number of
 * the runtime's choice.
 */
export type Push =
  | { readonly push: number; readonly run: 'onActivityExpired' | 'alarm' }
  | { readonly push: number; readonly run: 'start'; readonly options: StartOptions }

/** The error of the `ran` where the object cannot start itself. */
export const NO_START = 'This object has no start of its own.'

/** A numbered request ahead of itself: its SEQ, and the path and body that it has. */
export interface Ahead {
  readonly ahead: number
  readonly path: string
  readonly body: string
}

/** What the generated entry gives the worker's side. */
export interface EntryOptions {
  /** `http://127.0.0.1:port` of the relay. */
  readonly base: string
  readonly token: string
  /** Whether methods that return a promise reject instead of throwing (`capture_async_api_throws`). */
  readonly captures: boolean
  /** Whether the Worker has the `experimental` flag. */
  readonly experimental: boolean
}
