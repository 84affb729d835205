/** An engine, a relay and a prepared container that do nothing but tell, as lines, what they were asked. */
import { Latch } from '../../../runtime/base/latch.ts'
import type { Exit } from '../../../runtime/engine/answers.ts'
import type { Engine } from '../../../runtime/engine/engine.ts'
import type { Prepared } from '../../../runtime/object/prepared.ts'
import type { ContainerId, ContainerState } from '../../../runtime/protocol/model.ts'
import type { RelayThread } from '../../../runtime/relay/thread.ts'

/** Lets everything happen that needs no more than promises that are settled. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 50; i++) await Promise.resolve()
}

/** A container whose end is in the test's hand. */
export interface FakeContainer {
  readonly prepared: Prepared
  readonly exit: Latch<Exit>
  readonly linkDown: Latch
  readonly silent: Latch
  readonly oom: Latch
  /** How many times it was closed. */
  closed: number
  /** Whether `silent` is the test's to resolve; else it is there at once. */
  quiet?: boolean
}

export function fakeContainer(
  id: string,
  log: string[] = [],
  closing: Promise<void> = Promise.resolve(),
): FakeContainer {
  const exit = new Latch<Exit>()
  const linkDown = new Latch()
  const silent = new Latch()
  const oom = new Latch()
  const fake: FakeContainer = {
    exit,
    linkDown,
    silent,
    oom,
    closed: 0,
    prepared: {
      id: id as ContainerId,
      sandbox: {
        id: `sandbox of ${id}`,
        address: '10.213.0.16',
        ended: new Promise(() => undefined),
        close: async () => undefined,
      },
      exit: exit.promise,
      linkDown: linkDown.promise,
      get silent() {
        return fake.quiet === true ? silent.promise : Promise.resolve()
      },
      oom,
      killed: new Latch(),
      close: async () => {
        fake.closed += 1
        log.push(`close ${id}`)
        await closing
      },
    },
  }
  return fake
}

/** An engine that knows only what a life asks of it. `onKill` may end the container, or throw. */
export function fakeEngine(
  log: string[],
  onKill: (id: string, signal: number) => void | Promise<void> = () => undefined,
): Engine {
  return {
    kill: async (id: string, signal: number) => {
      log.push(`kill ${id} ${signal}`)
      await onKill(id, signal)
    },
    rename: async () => undefined,
  } as unknown as Engine
}

/** Answers of the relay by the name of the call; what has none is answered by undefined. */
// biome-ignore lint/suspicious/noExplicitAny: the arguments are those of the call.
export type RelayAnswers = Record<string, (args: any) => unknown>

/** A relay that starts every app at once, unless `answers` says otherwise. It may be changed while it runs. */
export function fakeRelay(log: string[], answers: RelayAnswers = {}): RelayThread {
  const ask = new Proxy(
    {},
    {
      get: (_, name: string) => async (args: Record<string, unknown>) => {
        log.push([name, ...Object.values(args).map((value) => words(value))].join(' '))
        return (answers[name] ?? (name === 'run' ? () => ({ pid: 1 }) : () => undefined))(args)
      },
    },
  )
  return { ask, close: async () => undefined } as unknown as RelayThread
}

function words(value: unknown): string {
  return typeof value === 'object' && value !== null && 'argv' in value ? String(value.argv) : String(value)
}

/** A state in a few words. */
export function stateLine(state: ContainerState): string {
  switch (state.state) {
    case 'none':
      return 'none'
    case 'starting':
      return `starting ${state.phase}`
    case 'running':
      return `running ${state.containerId}`
    case 'stopping':
      return `stopping ${state.how}`
    default:
      return `${state.state}: ${state.end.message}`
  }
}
