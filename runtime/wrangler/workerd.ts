/** Keeps an eye on the workerd processes that wrangler starts: none may outlive the child, and one that dies must be noticed. */
import childProcess, { type ChildProcess } from 'node:child_process'
import { syncBuiltinESMExports } from 'node:module'
import { basename } from 'node:path'

/** All workerd processes of this process. */
export interface WorkerdWatch {
  /** Kills those that are left; resolves when they are gone. */
  killAll(): Promise<void>
}

/**
 * Watches from now on; call it before wrangler is loaded.
 * There is no other way to hear of a workerd that was killed from outside: miniflare keeps the process to itself and says nothing.
 * @param onLost a workerd ended that this process did not end.
 */
export function watchWorkerd(onLost: (signal: string) => void): WorkerdWatch {
  const running = new Set<ChildProcess>()
  const spawn = childProcess.spawn
  const watched = (...args: Parameters<typeof spawn>): ChildProcess => {
    const child = spawn(...args)
    if (isWorkerd(args[0], args[1])) {
      running.add(child)
      child.once('exit', (code, signal) => {
        running.delete(child)
        if (!child.killed) onLost(signal ?? `code ${code}`)
      })
    }
    return child
  }
  childProcess.spawn = watched as typeof spawn
  syncBuiltinESMExports()
  return {
    killAll: async () => {
      const left = [...running]
      await Promise.all(
        left.map(async (child) => {
          const gone = new Promise((resolve) => child.once('exit', resolve))
          child.kill('SIGKILL')
          await gone
        }),
      )
    },
  }
}

/** Older packages start it through a script of Node. */
function isWorkerd(command: string, args: readonly string[] | undefined): boolean {
  return [command, args?.[0] ?? ''].some((part) => basename(String(part)).startsWith('workerd'))
}
