/** Turns what happened into JSON that a test can compare. */

/** An error as plain values; `value` where something else than an Error was thrown. */
export interface Told {
  name?: string
  message?: string
  exitCode?: unknown
  retryable?: unknown
  cause?: string
  value?: unknown
}

/** How a call ended: it threw before it returned, its promise rejected, or it resolved. */
export type Outcome = { threw: Told } | { rejected: Told } | { resolved: unknown }

export function tell(error: unknown): Told {
  if (!(error instanceof Error)) return { value: show(error) }
  const { exitCode, retryable, cause } = error as Error & { exitCode?: unknown; retryable?: unknown }
  return {
    name: error.name,
    message: error.message,
    ...(exitCode === undefined ? {} : { exitCode }),
    ...(retryable === undefined ? {} : { retryable }),
    ...(cause === undefined ? {} : { cause: cause instanceof Error ? cause.message : String(cause) }),
  }
}

/** JSON has no undefined: it becomes the word. */
export function show(value: unknown): unknown {
  return value === undefined ? 'undefined' : value
}

/** Calls and waits, and says which of the three ways it ended. */
export async function outcome(call: () => unknown): Promise<Outcome> {
  let promise: unknown
  try {
    promise = call()
  } catch (error) {
    return { threw: tell(error) }
  }
  try {
    return { resolved: show(await promise) }
  } catch (error) {
    return { rejected: tell(error) }
  }
}

/** Waits until the condition holds; after twenty seconds it throws, naming what was waited for. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 20_000
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`waited twenty seconds until ${what}`)
    await scheduler.wait(10)
  }
}

/** The first to settle of a promise and a short time: whether it is still pending. */
export async function pending(promise: Promise<unknown>, ms = 100): Promise<boolean> {
  const settled = promise.then(
    () => false,
    () => false,
  )
  return Promise.race([settled, scheduler.wait(ms).then(() => true)])
}
