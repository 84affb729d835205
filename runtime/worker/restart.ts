/**
 * A Container of @cloudflare/containers that is to start itself, because a person or a new image had its container end: only
 * its own start runs onStart and keeps its state right. A plain object has no such start.
 */
import type { StartOptions } from '../protocol/worker.ts'

/** How long its own reaction to the end of the life before may take, and how often that is looked at. Milliseconds. */
const SETTLED_MS = 2_000
const LOOK_MS = 5

/** What of a Container this uses (container.js of @cloudflare/containers); `monitor` is there until it has seen the end. */
interface Starter {
  readonly defaultPort?: number
  readonly requiredPorts?: readonly number[]
  readonly monitor?: unknown
  start(options: object): Promise<unknown>
  startAndWaitForPorts(options: object): Promise<unknown>
  syncPendingStoppedEvents?(): Promise<unknown>
}

/** Whether an object can start itself. */
export function startsItself(inner: object): inner is Starter {
  return ['start', 'startAndWaitForPorts', 'onStart', 'scheduleNextAlarm'].every(
    (name) => typeof Reflect.get(inner, name, inner) === 'function',
  )
}

/**
 * Starts it as its own class does, once it has seen the end of the life before. Resolves when onStart has run.
 * @param container its ctx.container.
 * @param last what it was started with before.
 */
export async function startItself(inner: Starter, container: Container, last: StartOptions): Promise<void> {
  if (container.running) await container.monitor().catch(() => undefined)
  for (let waited = 0; inner.monitor !== undefined && waited < SETTLED_MS; waited += LOOK_MS) {
    await scheduler.wait(LOOK_MS)
  }
  // onStop of that life; start() alone would forget it.
  await inner.syncPendingStoppedEvents?.()
  const { env: envVars, entrypoint, enableInternet, labels } = last
  const startOptions = Object.fromEntries(
    Object.entries({ envVars, entrypoint, enableInternet, labels }).filter(([, value]) => value !== undefined),
  )
  const listens = inner.defaultPort !== undefined || (inner.requiredPorts?.length ?? 0) > 0
  await (listens ? inner.startAndWaitForPorts({ startOptions }) : inner.start(startOptions))
}
