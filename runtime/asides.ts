/** Containers beside those of objects, for a person who looks into an image whose app does not start. */
import { randomUUID } from 'node:crypto'
import type { ExecOptions, OpenProcess } from './front.ts'
import type { ContainerClass } from './object/class.ts'
import type { Prepared } from './object/prepared.ts'
import type { SessionProcesses } from './people.ts'
import { explainErrno } from './protocol/errno.ts'
import { MoorageError } from './protocol/errors.ts'
import { type ObjectKey, objectKey } from './protocol/model.ts'
import type { RunCommand } from './protocol/relay.ts'
import type { RelayThread } from './relay/thread.ts'

/** What runs in the app's place: the agent's program, which every image can run. */
const REST: RunCommand = { argv: ['/.moorage/agent', 'rest'], env: {}, cwd: '/', user: '' }

/**
 * Opens processes in fresh containers, one each, which are what a start would get: a sandbox with no way out, the limits of the
 * class. The app is not started in them. They are no object's, and so not in the model.
 */
export class Asides {
  readonly #relay: RelayThread
  readonly #processes: SessionProcesses
  readonly #open = new Map<ObjectKey, Prepared>()

  constructor(relay: RelayThread, processes: SessionProcesses) {
    this.#relay = relay
    this.#processes = processes
  }

  /** Whether a process's object stands for one of these. */
  has(key: ObjectKey): boolean {
    return this.#open.has(key)
  }

  /** Opens one; its container goes when it ends. @throws MoorageError where there is no image, or the process does not start */
  async open(ofClass: ContainerClass, options: ExecOptions): Promise<OpenProcess> {
    const { container, command } = await ofClass.aside()
    const object = objectKey(ofClass.config.className, randomUUID())
    this.#open.set(object, container)
    const close = async (): Promise<void> => {
      await container.close().catch(() => undefined)
      this.#open.delete(object)
    }
    try {
      const rest = await this.#relay.ask.run({ container: container.id, command: REST, object, life: 0 })
      if ('errno' in rest) throw new MoorageError('start-failed', explainErrno(rest.errno, rest.step, REST))
      const process = await this.#processes.open(object, options, (open) =>
        this.#relay.ask.openAside({ container: container.id, command, object, open }),
      )
      void process.ended.then(close, close)
      return process
    } catch (error) {
      await close()
      throw error
    }
  }

  /** Removes those that are there. */
  async close(): Promise<void> {
    await Promise.allSettled([...this.#open.values()].map((container) => container.close()))
  }
}
