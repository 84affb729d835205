/** A session without an engine: it remembers what it was asked, and answers as a test wants. */
import assert from 'node:assert/strict'
import { Latch } from '../../../runtime/base/latch.ts'
import type { ExecOptions, ObjectActions, OpenProcess, ProcessActions, Session } from '../../../runtime/front.ts'
import { MoorageError } from '../../../runtime/protocol/errors.ts'
import { type ObjectKey, objectKey, type ProcessId, type ProcessModel } from '../../../runtime/protocol/model.ts'
import { Store } from '../../../runtime/store.ts'

export const ALICE = objectKey('Box', 'a'.repeat(64))
export const PROCESS = 'a-process' as ProcessId

type ProcessEnd = NonNullable<ProcessModel['end']>

/** A process that a test plays. */
export interface Played {
  readonly options: ExecOptions
  readonly ended: Latch<ProcessEnd>
}

export class FakeSession implements Session {
  readonly id = 'fake'
  readonly own = true
  readonly urls = ['http://127.0.0.1:8787']
  readonly store = new Store('fake', () => 1_000)
  readonly fails = new Latch<Error>()
  readonly failed = this.fails.promise
  /** What it was asked, in words. */
  readonly asked: string[] = []
  readonly played: Played[] = []
  /** Those who follow the process's output. */
  readonly followers = new Set<(stream: 'stdout' | 'stderr', bytes: Uint8Array, lostBytes: number) => void>()
  readonly #wake = new Set<() => void>()

  constructor() {
    this.store.report({
      type: 'object',
      object: { key: ALICE, className: 'Box', id: 'a'.repeat(64), memory: 'in-memory', container: { state: 'none' } },
    })
  }

  get model() {
    return this.store.model
  }

  onEvent: Session['onEvent'] = (listener) => this.store.onEvent(listener)

  /** Resolves when it was asked what the pattern describes. */
  async was(pattern: RegExp): Promise<void> {
    while (!this.asked.some((one) => pattern.test(one))) {
      await new Promise<void>((resolve) => this.#wake.add(resolve))
    }
  }

  watch(): () => void {
    this.#note('watch')
    return () => this.#note('unwatch')
  }

  async execInImage(className: string, options: ExecOptions): Promise<OpenProcess> {
    return this.#play(`execInImage ${className}`, options)
  }

  async reload(): Promise<void> {
    this.#note('reload')
  }

  async rebuild(className?: string): Promise<void> {
    this.#note(`rebuild ${className}`)
  }

  async cancelBuild(className: string): Promise<void> {
    this.#note(`cancelBuild ${className}`)
  }

  async left(): Promise<number> {
    return 0
  }

  async dispose(): Promise<void> {
    this.#note('dispose')
  }

  object(key: ObjectKey): ObjectActions {
    if (key !== ALICE) throw new MoorageError('no-object', `No object ${key}.`)
    const did = (what: string) => async (): Promise<void> => this.#note(what)
    return {
      start: async () => {
        this.#note('start')
        throw new MoorageError('start-failed', 'It did not start.', {
          advice: ['Mend it.'],
          detail: { phase: 'image' },
        })
      },
      stop: did('stop'),
      restart: did('restart'),
      destroy: did('destroy'),
      expire: did('expire'),
      runAlarm: did('runAlarm'),
      signal: async (signal) => this.#note(`signal ${signal}`),
      logs: async () => [{ at: 1, life: 1, stream: 'stdout', text: 'hello' }],
      forward: async (port) => ({ url: `http://127.0.0.1:1/${port}`, close: did(`close ${port}`) }),
      readFile: async (path) => Buffer.from(`the file ${path}\0\xff`, 'latin1'),
      exec: async () => assert.fail('Processes of objects are opened at the relay.'),
    }
  }

  process(id: ProcessId): ProcessActions {
    return {
      signal: async (signal) => this.#note(`${id} signal ${signal}`),
      write: async (bytes) => this.#note(`${id} write ${bytes.length} ${Buffer.from(bytes.subarray(0, 8))}`),
      end: async () => this.#note(`${id} end`),
      resize: async (cols, rows) => this.#note(`${id} resize ${cols}x${rows}`),
      output: async (onOutput) => {
        if (onOutput !== undefined) this.followers.add(onOutput)
        return {
          head: [
            { stream: 'stdout', bytes: Buffer.from('one\n') },
            { stream: 'stderr', bytes: Buffer.from('two\n') },
          ],
          lostBytes: 7,
          tail: [{ stream: 'stdout', bytes: Buffer.from('three\n') }],
          close: () => {
            this.#note(`${id} unfollow`)
            if (onOutput !== undefined) this.followers.delete(onOutput)
          },
        }
      },
    }
  }

  #play(how: string, options: ExecOptions): OpenProcess {
    const { argv, env, cwd, user, tty } = options
    this.#note(`${how} ${JSON.stringify({ argv, env, cwd, user, tty })}`)
    const ended = new Latch<ProcessEnd>()
    this.played.push({ options, ended })
    const { signal, write, end, resize } = this.process(PROCESS)
    return { id: PROCESS, pid: 42, command: argv, ended: ended.promise, signal, write, end, resize }
  }

  #note(what: string): void {
    this.asked.push(what)
    for (const wake of this.#wake) wake()
    this.#wake.clear()
  }
}
