/** Labels on everything that Moorage makes in an engine, and the removal of what is left by them. */
import type { EngineAddress } from '../protocol/child.ts'
import { MoorageError } from '../protocol/errors.ts'
import { Engine } from './engine.ts'
import { isGone, problemOf } from './errors.ts'
import { isDead, type Machine, parseOwner, THIS_MACHINE } from './owner.ts'
import type { CallOptions } from './transport.ts'

export { ownerLabel } from './owner.ts'

/** The names of our labels. */
export const LABEL = {
  /** The session's id; whatever has it goes with the session. */
  session: 'moorage.session',
  /** The process that owns the session, see ownerLabel. */
  owner: 'moorage.owner',
  project: 'moorage.project',
  /** An ObjectKey. */
  object: 'moorage.object',
  /** `gateway`, `sandbox`, `app`, … */
  role: 'moorage.role',
} as const

/** How much was removed. */
export interface Swept {
  readonly containers: number
  readonly networks: number
  readonly volumes: number
}

export interface SweepOptions extends CallOptions {
  /** When to give up on what does not go. */
  readonly withinMs?: number
  /** How long a container that somebody may just be starting is left alone. A session's own knows that it is answered, however slow the machine. */
  readonly startingMs?: number
}

/** Between two looks at what is still there. */
const LOOK_AGAIN_MS = 50

/** A start that takes longer is not under way any more. */
const STARTING_MS = 5_000

const WITHIN_MS = 20_000

/** The first address of a session's network that is a sandbox's; the gateway has number 2. */
const FIRST_SANDBOX = 16
/** So many of them are thought of when an end of a network is left without its container. */
const ENDS = 128
/** How often that is tried: an end may also just be going. */
const ENDS_TRIES = 6

/**
 * The name of the container at an address of a session's network. A container that is removed while the engine still starts
 * it may leave its end of the network behind (seen with Docker 20.10); only by its name can that be taken away then.
 */
export function nameAt(session: string, address: string): string {
  return `moorage-${session}-${address.replaceAll('.', '-')}`
}

/** The names that ends of a session's network may have. */
export function namesIn(session: string, cidr: string): string[] {
  const [network = ''] = cidr.split('/')
  const [a = 0, b = 0, c = 0] = network.split('.').map(Number)
  const numbers = [2, ...Array.from({ length: ENDS }, (_, i) => FIRST_SANDBOX + i)]
  return numbers.map((number) => nameAt(session, `${a}.${b}.${c}.${number}`))
}

/** Removes all that a session has in the engine at this address. See sweep. */
export async function sweepSession(
  address: EngineAddress,
  session: string,
  options: SweepOptions = {},
): Promise<Swept> {
  const engine = await Engine.connect(address, options)
  try {
    return await sweep(engine, session, options)
  } finally {
    engine.close()
  }
}

/**
 * Removes all containers (running and paused ones too), networks and volumes of a session, at once, and again until none is listed. What is
 * gone already, or just going, is fine. Rejects with the engine's last complaint where something stays, and with 'engine-lost'.
 */
export async function sweep(engine: Engine, session: string, options: SweepOptions = {}): Promise<Swept> {
  const label = [`${LABEL.session}=${session}`]
  const began = performance.now()
  const until = began + (options.withinMs ?? WITHIN_MS)
  const containers = new Set<string>()
  const networks = new Set<string>()
  const volumes = new Set<string>()
  let ended = 0
  for (let round = 0; ; round++) {
    const [c, n, v] = await Promise.all([
      engine.listContainers(label, options),
      engine.listNetworks(label, options),
      engine.listVolumes(label, options),
    ])
    if (c.length + n.length + v.length === 0) {
      return { containers: containers.size, networks: networks.size, volumes: volumes.size }
    }
    // Somebody else's removal is under way, or a container that was being made has appeared.
    if (round > 0) await new Promise((resolve) => setTimeout(resolve, Math.min(LOOK_AGAIN_MS * round, 500)))
    for (const one of c) containers.add(one.id)
    for (const one of n) networks.add(one.id)
    for (const one of v) volumes.add(one.name)
    // A container that somebody may just be starting is left alone for a while: removed before its start is answered, it would
    // leave its end of the network behind (Docker 20.10, one time in forty).
    const starting = performance.now() - began < (options.startingMs ?? STARTING_MS)
    const going = c.filter(({ status }) => !(starting && status === 'created'))
    const complaints = await Promise.all(going.map((one) => complaint(engine.remove(one.id, options))))
    // A network or volume cannot go before the containers in it have.
    const others = [
      ...n.map((one) => engine.removeNetwork(one.id, options)),
      ...v.map((one) => engine.removeVolume(one.name, options)),
    ]
    complaints.push(...(await Promise.all(others.map(complaint))))
    if (c.length === 0 && complaints.some((error) => problemOf(error) === 'in-use')) {
      // What even that does not free stays until the engine is started anew.
      ended += 1
      if (ended > ENDS_TRIES) throw complaints.find((error) => problemOf(error) === 'in-use')
      const left = n.flatMap(({ id, subnet = '' }) =>
        namesIn(session, subnet).map((name) => engine.disconnect(id, name, options)),
      )
      await Promise.all(left)
    }
    const worst = complaints.find((error) => error !== undefined)
    const problem = problemOf(worst)
    if (worst !== undefined && (problem === undefined || problem === 'lost')) throw worst
    if (performance.now() > until) throw worst ?? stays(session, c.length + n.length + v.length)
  }
}

function stays(session: string, count: number): MoorageError {
  return new MoorageError('engine-error', `The engine is still removing ${count} things of the session ${session}.`, {
    advice: [`See what they are: docker ps --all --filter label=${LABEL.session}=${session}`],
    detail: { problem: 'being-removed', session },
  })
}

async function complaint(removal: Promise<void>): Promise<unknown> {
  try {
    await removal
    return undefined
  } catch (error) {
    return isGone(error) ? undefined : error
  }
}

/**
 * Sweeps every session whose owner was a process of this machine and is dead. Never touches those of other hosts, of living owners, or without an
 * owner's label. Resolves with the sessions swept.
 */
export async function sweepDead(
  engine: Engine,
  options: SweepOptions & { readonly machine?: Machine } = {},
): Promise<string[]> {
  const { machine = THIS_MACHINE } = options
  const label = [LABEL.session, LABEL.owner]
  const all = await Promise.all([
    engine.listContainers(label, options),
    engine.listNetworks(label, options),
    engine.listVolumes(label, options),
  ])
  const owners = new Map<string, string>()
  for (const { labels } of all.flat()) {
    const session = labels[LABEL.session]
    if (session !== undefined) owners.set(session, labels[LABEL.owner] ?? '')
  }
  const swept: string[] = []
  for (const [session, label] of owners) {
    const owner = parseOwner(label)
    if (!owner || !(await isDead(owner, machine))) continue
    // One that cannot be swept does not keep the others.
    const gone = await sweep(engine, session, options).then(
      () => true,
      () => false,
    )
    if (gone) swept.push(session)
  }
  return swept
}
