/**
 * An alarm() that begins in the very millisecond it was set for loses the alarm that it sets for now: workerd takes that for
 * the one that is running, and clears both (cloudflare/workerd#6866). @cloudflare/containers begins each alarm so, and
 * without the next one there is neither sleepAfter nor onStop any more.
 */

/** Two, because the clock that a wait goes by may lag a little behind the one that is told. */
const A_MOMENT_MS = 2

/**
 * Calls an alarm handler once the clock has gone on from the time that it was set for.
 * @param info what the platform gives the handler; older ones do not say the time.
 */
export function afterItsTime(info: unknown, call: () => unknown): unknown {
  const { scheduledTime } = (info ?? {}) as { readonly scheduledTime?: number }
  const passed = scheduledTime !== undefined && Date.now() > scheduledTime
  return passed ? call() : scheduler.wait(A_MOMENT_MS).then(call)
}
