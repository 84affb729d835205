import type { Socket } from 'node:net'
import { within } from '../base/latch.ts'
import { LineCutter } from '../base/lines.ts'
import { Scope } from '../base/scope.ts'
import { sameSecret } from '../base/secret.ts'
import { Engine } from '../engine/engine.ts'
import type { ExecPlace } from '../exec/process.ts'
import { AgentLink } from '../link/agent.ts'
import { Pulse } from '../link/pulse.ts'
import { AGENT_MAGIC, encodeClaim, Fact, OPENING_BYTES } from '../protocol/agent.ts'
import type { EngineAddress } from '../protocol/child.ts'
import { SECRET_BYTES, WIRE_VERSION } from '../protocol/frames.ts'
import { AGENT_PORT } from '../protocol/gateway.ts'
import type { ContainerId, ObjectKey } from '../protocol/model.ts'
import type { Look, RelayNews, RunCommand, RunResult } from '../protocol/relay.ts'

const AGENT_TIMEOUT_MS = 10_000
const OPENING_TIMEOUT_MS = 5_000
/** An agent opens a lost link again in milliseconds, once there is a gateway. */
const AGENT_BACK_MS = 250
/** One that has not by now is dead. */
const AGENT_DEAD_MS = 5_000

interface Held {
  readonly link: AgentLink
  readonly stdin: NodeJS.WritableStream
  readonly scope: Scope
  /** Resolves when the engine has let go of it: it has ended. Never rejects. */
  readonly closed: Promise<unknown>
  secret: Uint8Array | undefined
  /** What its app was started with, and for whom. */
  app: { readonly command: RunCommand; readonly object: ObjectKey; readonly life: number } | undefined
}

/** The containers that this thread holds: their stdin, on which their life hangs, their output, and their agents' links. */
export class HeldContainers {
  readonly #held = new Map<string, Held>()
  readonly #engines = new Map<string, Promise<Engine>>()
  readonly #tell: (news: RelayNews) => void
  readonly #reachable: () => boolean

  /** @param reachable whether there has long been a gateway that agents could come through. */
  constructor(tell: (news: RelayNews) => void, reachable: () => boolean = () => true) {
    this.#tell = tell
    this.#reachable = reachable
  }

  /** Attaches to a created container. */
  async hold(engineAddress: EngineAddress, container: string): Promise<void> {
    const scope = new Scope()
    const cutters = { stdout: new LineCutter(), stderr: new LineCutter() }
    const output = (stream: 'stdout' | 'stderr', lines: readonly string[]): void => {
      if (lines.length > 0) this.#tell({ news: 'output', container, stream, lines })
    }
    const engine = await this.#engine(engineAddress)
    const attached = await engine.attach(container as ContainerId, (stream, bytes) =>
      output(stream, cutters[stream].push(bytes)),
    )
    scope.own(() => attached.dispose())
    let missed: NodeJS.Timeout | undefined
    // The agent's link is down. Without a gateway it could not be otherwise.
    const miss = (lost: 'just-now' | 'for-long', afterMs: number): void => {
      missed = setTimeout(() => {
        const reachable = this.#reachable()
        if (reachable) this.#tell({ news: 'agent-lost', container, lost })
        if (!reachable || lost === 'just-now') miss('for-long', AGENT_DEAD_MS)
      }, afterMs)
    }
    const link = new AgentLink((up) => {
      clearTimeout(missed)
      if (!up) miss('just-now', AGENT_BACK_MS)
      this.#tell({ news: 'agent', container, up })
    })
    scope.own(() => link.close())
    scope.own(() => clearTimeout(missed))
    const pulse = new Pulse(link, () => this.#tell({ news: 'agent-lost', container, lost: 'silent' }))
    scope.own(() => pulse.close())
    this.#held.set(container, {
      link,
      stdin: attached.stdin,
      scope,
      closed: attached.closed,
      secret: undefined,
      app: undefined,
    })
    void attached.closed.then(() => {
      clearTimeout(missed)
      for (const stream of ['stdout', 'stderr'] as const) {
        const rest = cutters[stream].end()
        if (rest !== undefined) output(stream, [rest])
      }
      this.#tell({ news: 'released', container })
    })
  }

  /** Claims a started container. @throws where its agent does not come. */
  async claim(container: string, secret: Uint8Array, gatewayAddress: string): Promise<void> {
    const held = this.#get(container)
    held.secret = secret
    held.stdin.write(encodeClaim(secret, gatewayAddress, AGENT_PORT))
    const up = await within(
      AGENT_TIMEOUT_MS,
      Promise.race([held.link.up.then(() => true), held.closed.then(() => false)]),
    )
    if (up === false) throw new Error('The container ended before its agent reported.')
    if (up !== true) throw new Error('The agent in the container did not report.')
  }

  /** Starts the app in a claimed container. */
  run(container: string, command: RunCommand, object: ObjectKey, life: number): Promise<RunResult> {
    const held = this.#get(container)
    held.app = { command, object, life }
    return held.link.run({ ...command, flags: 0, cols: 0, rows: 0 })
  }

  /** Where an exec runs that comes over this link. */
  placeOf(link: AgentLink): ExecPlace | undefined {
    const [container, held] = [...this.#held].find(([, one]) => one.link === link) ?? []
    if (container === undefined || held?.app === undefined) return undefined
    const { object, life, command } = held.app
    return { container, object, life, link, app: command }
  }

  /** The link of a container, or undefined where it is not held. */
  link(container: string): AgentLink | undefined {
    return this.#held.get(container)?.link
  }

  /** What there is to see in a container. */
  async look(container: string): Promise<Omit<Look, 'http'>> {
    const ask = (fact: number): Promise<string> | string => this.link(container)?.ask(fact) ?? ''
    const facts = [Fact.CPU, Fact.MEMORY, Fact.MEMORY_STAT, Fact.LISTENING].map(ask)
    const [cpu = '', memory = '', memoryStat = '', listening = ''] = await Promise.all(facts)
    return { cpu, memory, memoryStat, listening }
  }

  /** Lets a container go: it ends, and its processes are told why. */
  async release(container: string, why?: string): Promise<void> {
    const held = this.#held.get(container)
    this.#held.delete(container)
    held?.link.close(why)
    await held?.scope.close()
  }

  /** Takes an agent's socket: reads its opening and gives it to the container whose secret it knows. */
  admit(socket: Socket, first: Buffer): void {
    let bytes = first
    const timer = setTimeout(() => socket.destroy(), OPENING_TIMEOUT_MS)
    const take = (chunk?: Buffer): void => {
      if (chunk !== undefined) bytes = Buffer.concat([bytes, chunk])
      if (bytes.length < OPENING_BYTES) return
      clearTimeout(timer)
      socket.off('data', take)
      const held = this.#owner(bytes)
      if (held === undefined) socket.destroy()
      else held.link.adopt(socket, bytes.subarray(OPENING_BYTES))
    }
    socket.on('data', take)
    take()
    socket.resume()
  }

  #owner(opening: Buffer): Held | undefined {
    if (opening.toString('latin1', 0, 4) !== AGENT_MAGIC || opening[4] !== WIRE_VERSION) return undefined
    const secret = opening.subarray(5, 5 + SECRET_BYTES)
    return [...this.#held.values()].find((held) => held.secret !== undefined && sameSecret(held.secret, secret))
  }

  #get(container: string): Held {
    const held = this.#held.get(container)
    if (held === undefined) throw new Error('The container is not held.')
    return held
  }

  #engine(address: EngineAddress): Promise<Engine> {
    const key = JSON.stringify(address)
    let engine = this.#engines.get(key)
    if (engine === undefined) {
      engine = Engine.connect(address)
      this.#engines.set(key, engine)
    }
    return engine
  }
}
