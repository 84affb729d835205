/** What the engine tells while a session runs: ends of containers, new networks, and that it went away or came back. */
import type { Engine } from './engine/engine.ts'
import { LABEL } from './engine/leftovers.ts'
import type { ContainerHost } from './host.ts'
import type { Fleet } from './object/fleet.ts'
import type { ContainerWatch } from './object/watch.ts'
import type { RelayThread } from './relay/thread.ts'
import type { Store } from './store.ts'

/** `docker stop`, `kill` and `rm` send one of these (SIGTERM and SIGKILL, as the engine's events name them). */
const ENDING_SIGNALS: ReadonlySet<string> = new Set(['15', '9'])

/** Follows the engine; what is returned is the caller's to dispose of. */
export function followEngine(parts: {
  readonly engine: Engine
  readonly session: string
  readonly relay: RelayThread
  readonly watch: ContainerWatch
  readonly store: Store
  readonly host: ContainerHost
  readonly fleet: Fleet
  /** Whether the session is being closed: the engine is not missed then. */
  ending(): boolean
}): readonly { dispose(): void }[] {
  const { engine, relay, watch, store, host, fleet } = parts
  const containers = engine.events({
    labels: [`${LABEL.session}=${parts.session}`],
    actions: ['oom', 'kill'],
    onEvent: (event) => {
      if (event.action === 'oom') watch.outOfMemory(event.id)
      else if (ENDING_SIGNALS.has(event.attributes.signal ?? '')) watch.killed(event.id)
    },
    onConnected: (connected) => {
      const { engine: now } = store.model
      if (!connected && now.state === 'ready' && !parts.ending()) {
        const message = `The container engine at ${engine.name} no longer answers. Moorage goes on by itself as soon as it does.`
        store.report({ type: 'engine', engine: { state: 'lost', message } })
      } else if (connected && now.state === 'lost') {
        const { product: name, version, arch } = engine.about
        store.report({ type: 'engine', engine: { state: 'ready', name, version, arch } })
        void host.revive()
        for (const one of fleet.classes) one.revive()
      }
    },
  })
  // What the engine adds while the session runs is as far out of reach as what was there before.
  const networks = engine.events({
    types: ['network'],
    actions: ['create'],
    onEvent: ({ id }) => {
      void keepOut(engine, relay, id).catch(() => undefined)
    },
  })
  return [containers, networks]
}

/** Keeps a network of the engine out of every sandbox's reach; one that is gone again needs no keeping. */
async function keepOut(engine: Engine, relay: RelayThread, id: string): Promise<void> {
  const { subnet = '' } = (await engine.inspectNetwork(id)) ?? {}
  // Our own network is none to refuse: its rules come first in the gateway, for what is between sandboxes.
  if (/^[\d.]+\/\d+$/.test(subnet)) await relay.ask.refuse({ network: subnet })
}
