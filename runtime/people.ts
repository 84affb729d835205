/** What a person does through the front door: with an object's container, and with processes. */
import { Latch } from './base/latch.ts'
import { checkCommand, checkSignal, checkSize } from './exec/checks.ts'
import type { ExecOptions, ObjectActions, OpenProcess, ProcessActions } from './front.ts'
import type { DurableObject } from './object/object.ts'
import { MoorageError } from './protocol/errors.ts'
import type { ObjectKey, ProcessId, ProcessModel } from './protocol/model.ts'
import type { OutputPart, RelayNews } from './protocol/relay.ts'
import type { RelayThread } from './relay/thread.ts'

const TERM = 15

/** The actions on one object. */
export function objectActions(object: DurableObject, processes: SessionProcesses): ObjectActions {
  const started = async (start: Promise<{ message: string; cause?: string } | undefined>): Promise<void> => {
    const refusal = await start
    if (refusal !== undefined) throw new MoorageError('start-failed', refusal.cause ?? refusal.message)
  }
  return {
    start: () => started(object.start()),
    stop: async () => object.life?.signal(TERM, 'person'),
    restart: () => started(object.restart({ kind: 'destroyed', by: 'person' })),
    destroy: async () => object.life?.destroy({ kind: 'destroyed', by: 'person' }),
    signal: async (signal) => object.life?.signal(signal, 'person'),
    logs: () => object.log.read(),
    exec: (options) => {
      object.visited()
      return processes.open(object.key, options)
    },
  }
}

/** Processes of a session, as the front door shows them; their bytes are the relay's. */
export class SessionProcesses {
  readonly #relay: RelayThread
  /** Who opened a process. */
  readonly #listeners = new Map<ProcessId, (part: OutputPart) => void>()
  /** Those who follow one, by a number that the relay is told. */
  readonly #followers = new Map<number, (part: OutputPart, lostBytes: number) => void>()
  #lastFollower = 0
  readonly #ended = new Map<ProcessId, Latch<NonNullable<ProcessModel['end']>>>()
  readonly #read = new Map<ProcessId, Latch>()
  readonly #notes = new Map<ObjectKey, (text: string) => void>()
  /** Output and ends of processes whose opening is not answered yet. */
  readonly #early = new Map<ProcessId, OutputPart[]>()
  #opening = 0

  constructor(relay: RelayThread) {
    this.#relay = relay
  }

  /** The relay told a piece of output. */
  output({ process: id, part, follow, lostBytes = 0 }: RelayNews & { news: 'process-output' }): void {
    if (follow !== undefined) {
      this.#followers.get(follow)?.(part, lostBytes)
      return
    }
    const listener = this.#listeners.get(id)
    if (listener !== undefined) listener(part)
    else if (this.#opening > 0) this.#early.set(id, [...(this.#early.get(id) ?? []), part])
  }

  note(object: ObjectKey, text: string): void {
    this.#notes.get(object)?.(text)
  }

  /** The relay told the last of a process's output. */
  read(id: ProcessId): void {
    this.#readOf(id).resolve()
  }

  /** The relay told what a process is now. */
  changed(model: ProcessModel): void {
    if (model.end !== undefined) this.#ended.get(model.id)?.resolve(model.end)
  }

  /** Starts one for a person. @throws MoorageError */
  async open(object: ObjectKey, options: ExecOptions): Promise<OpenProcess> {
    const { ask } = this.#relay
    const { argv, env = {}, cwd, user, tty, onOutput, onNote } = options
    checkCommand(options)
    if (tty !== undefined) checkSize(tty.cols, tty.rows)
    if (onNote !== undefined) this.#notes.set(object, onNote)
    this.#opening += 1
    let model: ProcessModel
    try {
      model = await ask.openProcess({
        object,
        open: {
          argv,
          env,
          stdin: true,
          ...(cwd === undefined ? {} : { cwd }),
          ...(user === undefined ? {} : { user }),
          ...(tty === undefined ? {} : { tty }),
        },
      })
    } finally {
      this.#opening -= 1
      this.#notes.delete(object)
    }
    const { id } = model
    const hear = ({ stream, bytes }: OutputPart): void => {
      onOutput(stream, bytes)
      void ask.takenOfProcess({ process: id, bytes: bytes.length }).catch(() => undefined)
    }
    this.#listeners.set(id, hear)
    for (const part of this.#early.get(id) ?? []) hear(part)
    this.#early.delete(id)
    const { signal, write, end, resize } = this.actions(id)
    return { id, pid: model.pid, command: model.command, ended: this.#end(model), signal, write, end, resize }
  }

  async #end({ id, end: known }: ProcessModel): Promise<NonNullable<ProcessModel['end']>> {
    const ended = new Latch<NonNullable<ProcessModel['end']>>()
    this.#ended.set(id, ended)
    if (known !== undefined) ended.resolve(known)
    const [end] = await Promise.all([ended.promise, this.#readOf(id).promise])
    this.#ended.delete(id)
    this.#read.delete(id)
    this.#listeners.delete(id)
    return end
  }

  #readOf(id: ProcessId): Latch {
    const read = this.#read.get(id) ?? new Latch()
    this.#read.set(id, read)
    return read
  }

  /** What can be done with one, whoever started it. */
  actions(id: ProcessId): ProcessActions {
    const { ask } = this.#relay
    return {
      signal: async (signal) => {
        checkSignal(signal)
        await ask.signalProcess({ process: id, signal })
      },
      write: (bytes) => ask.writeProcess({ process: id, bytes }),
      end: () => ask.endProcess({ process: id }),
      resize: async (cols, rows) => {
        checkSize(cols, rows)
        await ask.resizeProcess({ process: id, cols, rows })
      },
      output: async (onOutput) => {
        if (onOutput === undefined) return { ...(await ask.outputOfProcess({ process: id })), close: () => undefined }
        const follow = ++this.#lastFollower
        const close = (): void => {
          if (this.#followers.delete(follow)) void ask.unfollowProcess({ follow }).catch(() => undefined)
        }
        this.#followers.set(follow, ({ stream, bytes }, lostBytes) => {
          onOutput(stream, bytes, lostBytes)
          void ask.takenOfProcess({ process: id, bytes: bytes.length, follow }).catch(() => undefined)
        })
        try {
          return { ...(await ask.outputOfProcess({ process: id, follow })), close }
        } catch (error) {
          close()
          throw error
        }
      },
    }
  }
}
