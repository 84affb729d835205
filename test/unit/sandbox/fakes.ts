/** An engine whose containers of our own program are told as lines, and say what the test lets them say. */
import { Writable } from 'node:stream'
import { Latch } from '../../../runtime/base/latch.ts'
import type { CreateOptions } from '../../../runtime/engine/create.ts'
import type { Engine } from '../../../runtime/engine/engine.ts'

export interface FakeProgram {
  readonly id: string
  readonly options: CreateOptions
  /** What came over its stdin. */
  readonly stdin: Buffer[]
  say(text: string): void
  /** Ends it, as someone from outside would. */
  end(): void
}

/** @param saying what each program says as soon as it is started; undefined: nothing, the test says it. */
export function fakeProgramEngine(log: string[], saying: string | undefined = 'ready\n') {
  const programs: FakeProgram[] = []
  /** Fails the call of this name once. */
  const failing = new Map<string, Error>()
  const step = (name: string, id: string): void => {
    log.push(`${name} ${id}`)
    const error = failing.get(name)
    failing.delete(name)
    if (error !== undefined) throw error
  }
  const outputs = new Map<string, (stream: 'stdout', bytes: Buffer) => void>()
  const closings = new Map<string, Latch<{ error?: Error }>>()
  const engine = {
    createContainer: async (options: CreateOptions) => {
      const id = `program${programs.length + 1}`
      step('create', id)
      const stdin: Buffer[] = []
      programs.push({
        id,
        options,
        stdin,
        say: (text) => outputs.get(id)?.('stdout', Buffer.from(text)),
        end: () => closings.get(id)?.resolve({}),
      })
      return id
    },
    attach: async (id: string, output: (stream: 'stdout', bytes: Buffer) => void) => {
      step('attach', id)
      outputs.set(id, output)
      const closed = new Latch<{ error?: Error }>()
      closings.set(id, closed)
      const program = programs.find((p) => p.id === id)
      return {
        stdin: new Writable({
          write: (chunk: Buffer, _encoding, done) => {
            program?.stdin.push(chunk)
            done()
          },
        }),
        closed: closed.promise,
        dispose: () => {
          log.push(`detach ${id}`)
          closed.resolve({})
        },
      }
    },
    start: async (id: string) => {
      step('start', id)
      if (saying !== undefined) outputs.get(id)?.('stdout', Buffer.from(saying))
    },
    remove: async (id: string) => step('remove', id),
    address: { socketPath: '/engine' },
    listNetworks: async () => [{ subnet: '172.17.0.0/16' }],
    createNetwork: async (name: string, { subnet }: { subnet: { cidr: string } }) => {
      step('network', `${name} ${subnet.cidr}`)
      return { id: 'net' }
    },
    removeNetwork: async (id: string) => step('remove', id),
    inspect: async () => ({ ports: { '7001/tcp': [{ host: '127.0.0.1', port: 30_000 + programs.length }] } }),
  }
  return { engine: engine as unknown as Engine, programs, failing }
}
