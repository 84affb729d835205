import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import type { ProcessId, ProcessModel } from '../protocol/model.ts'
import { OutputMemory } from './output-memory.ts'
import { type ExecOptions, type ExecPlace, Process } from './process.ts'

/** Ended processes whose output is kept. */
const ENDED = 200

/** All execs of a session: those that run, and the last ones that ended. */
export class Processes {
  readonly #processes = new Map<ProcessId, Process>()
  readonly #ended: Process[] = []
  readonly #memory = new OutputMemory()
  readonly #onChange: (model: ProcessModel) => void
  #folder = ''

  constructor(onChange: (model: ProcessModel) => void) {
    this.#onChange = onChange
  }

  /** Where output goes that is too long for memory. */
  set folder(folder: string) {
    this.#folder = folder
  }

  /** Starts one; its `started` tells how that went. The caller reads or destroys its streams. */
  open(place: ExecPlace, options: ExecOptions): Process {
    const id = randomUUID() as ProcessId
    const process = new Process(id, place, options, join(this.#folder, id), this.#memory, this.#onChange)
    this.#processes.set(id, process)
    void process.exit.catch(() => undefined).then(() => this.#over(process))
    return process
  }

  /** @throws Error where it never was, or ended so long ago that it is forgotten. */
  get(id: ProcessId): Process {
    const process = this.#processes.get(id)
    if (process === undefined) throw new Error('This process is not known any more.')
    return process
  }

  /** Kills all, and removes what was kept of them. */
  async close(): Promise<void> {
    await Promise.all([...this.#processes.values()].map((process) => process.close()))
  }

  #over(process: Process): void {
    this.#ended.push(process)
    const oldest = this.#ended.length > ENDED ? this.#ended.shift() : undefined
    if (oldest === undefined) return
    this.#processes.delete(oldest.id)
    // Its streams are not ours to end: with hundreds at once someone may still read them.
    void oldest.kept.close()
  }
}
