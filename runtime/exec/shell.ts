import { SpawnError } from '../link/process.ts'
import type { ExecOptions, ExecPlace, Process } from './process.ts'
import type { Processes } from './processes.ts'

/** Shells, best first. */
const SHELLS = [['bash'], ['sh']]
/** ENOENT, EACCES, ENOEXEC, ELIBACC: this program is not to be had here, another may be. */
const NOT_HERE = new Set([2, 13, 8, 79])

/** What a person asks for; an empty argv is the best shell there is. */
export type PersonOptions = Omit<ExecOptions, 'by' | 'isAttempt'>

/** A busybox that was put beside the app for a person: where it is in the container, and where it came from, in words. */
export interface Busybox {
  readonly path: string
  readonly note: string
}

/**
 * Starts a process for a person and waits until it runs.
 * @param busybox puts one into the container; called only where the image has no shell.
 * @param onNote is told in words what was done beside it.
 * @throws SpawnError, or what `busybox` throws.
 */
export async function openForPerson(
  processes: Processes,
  place: ExecPlace,
  options: PersonOptions,
  busybox: () => Promise<Busybox>,
  onNote: (text: string) => void,
): Promise<Process> {
  const open = async (argv: readonly string[], isAttempt = false): Promise<Process> => {
    const process = processes.open(place, { ...options, argv, by: 'person', isAttempt })
    await process.started
    return process
  }
  if (options.argv.length > 0) return open(options.argv)
  for (const shell of SHELLS) {
    try {
      return await open(shell, true)
    } catch (error) {
      if (!(error instanceof SpawnError) || !NOT_HERE.has(error.errno)) throw error
    }
  }
  const { path, note } = await busybox()
  onNote(note)
  return open([path, 'sh'])
}
