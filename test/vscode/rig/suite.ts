/** What a suite is made of. It runs in the extension host, here or in a desktop VS Code with @vscode/test-electron. */
import { ask, type Outcome } from './driver.ts'

/** A step has a sentence as its name; the first that fails ends the suite. */
export type Steps = Readonly<Record<string, () => Promise<void>>>

/** Runs the steps in their order and tells the test how it went. Rejects where a step did. */
export async function runSteps(steps: Steps): Promise<void> {
  const done: string[] = []
  let outcome: Outcome
  let failure: unknown
  try {
    for (const [name, step] of Object.entries(steps)) {
      await step().catch((error: unknown) => {
        throw new Error(`${name}: ${error instanceof Error ? error.message : error}`, { cause: error })
      })
      done.push(name)
    }
    outcome = { steps: done }
  } catch (error) {
    failure = error
    await ask('picture', 'failed').catch(() => undefined)
    outcome = { steps: done, error: error instanceof Error ? `${error.stack}\n${causeOf(error)}` : String(error) }
  }
  await ask('ended', outcome)
  if (failure !== undefined) throw failure
}

function causeOf(error: Error): string {
  return error.cause instanceof Error ? `caused by ${error.cause.stack}` : ''
}

/**
 * Waits until something is so, looking again each time `changed` calls back.
 * @param found resolves with this as soon as it is not undefined
 * @param what for the error after `timeoutMs`
 */
export function until<T>(
  found: () => T | undefined,
  changed: (look: () => void) => () => void,
  what: string,
  timeoutMs = 60_000,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const end = () => {
      clearTimeout(timer)
      stop()
    }
    const look = () => {
      const value = found()
      if (value === undefined) return
      end()
      resolve(value)
    }
    const stop = changed(look)
    const timer = setTimeout(() => {
      end()
      reject(new Error(`Not seen in ${timeoutMs / 1000} s: ${what}`))
    }, timeoutMs)
    look()
  })
}
