/** Errors for people: a stable code, a sentence, and a way out. */

/** Everything that Moorage itself can say is wrong. */
export type ErrorCode =
  | 'no-wrangler'
  | 'wrangler-too-old'
  | 'node-too-old'
  | 'no-config'
  | 'config-invalid'
  | 'no-containers'
  | 'class-not-exported'
  | 'worker-failed'
  | 'port-in-use'
  | 'session-exists'
  | 'no-engine'
  | 'engine-error'
  | 'engine-lost'
  | 'image-missing'
  | 'image-not-found'
  | 'image-platform'
  | 'dockerfile-missing'
  | 'build-failed'
  | 'disk-full'
  | 'start-failed'
  | 'executable-not-found'
  | 'too-many-instances'
  | 'agent-lost'
  | 'no-object'
  | 'invalid-argument'
  | 'no-session'
  | 'not-yet'

/** An error with a stable code, a sentence for people and what to do about it. */
export class MoorageError extends Error {
  override readonly name = 'MoorageError'
  readonly code: ErrorCode
  /** What to do, a sentence each; may be empty. */
  readonly advice: readonly string[]
  /** Facts behind the sentence, for views and logs. Never a secret. */
  readonly detail: Readonly<Record<string, unknown>>

  constructor(
    code: ErrorCode,
    message: string,
    options: { advice?: readonly string[]; detail?: Record<string, unknown>; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.advice = options.advice ?? []
    this.detail = options.detail ?? {}
  }
}
