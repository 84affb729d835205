import { pack } from 'tar-stream'
import type { Latch } from '../base/latch.ts'
import { makeSecret } from '../base/secret.ts'
import type { Exit } from '../engine/answers.ts'
import type { Engine } from '../engine/engine.ts'
import type { ContainerId } from '../protocol/model.ts'
import type { RelayThread } from '../relay/thread.ts'
import { HELD } from '../sandbox/held.ts'
import { type Labels, labelsOf } from '../sandbox/labels.ts'
import type { Sandbox, SandboxPool } from '../sandbox/pool.ts'

/** Bounds of a container's log with the engine; `docker logs` shows what is in it. */
const ENGINE_LOG = { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '2' } }

/** A container that is started and waits for its command: nothing of an object is in it yet. */
export interface Prepared {
  readonly id: ContainerId
  readonly sandbox: Sandbox
  /** How it ended; rejects where the engine cannot say. */
  readonly exit: Promise<Exit>
  /** Resolves when its agent is no longer there: it ended, or the gateway was lost. Asked anew each time, as a link that was lost with the gateway is opened again. */
  readonly linkDown: Promise<void>
  /** Resolves when it has ended and all that it wrote has been told. */
  readonly silent: Promise<void>
  /** The engine says that a process of it was killed for memory. */
  readonly oom: Latch
  /** The engine was asked to stop, kill or remove it, by us or by somebody else. */
  readonly killed: Latch
  /** Removes it, and then its sandbox. Safe to call twice. */
  /** @param why in words, for the processes in it. */
  close(why?: string): Promise<void>
}

/** Limits in the engine's words. */
export interface EngineLimits {
  readonly Memory: number
  readonly MemorySwap: number
  readonly NanoCpus: number
}

export interface PrepareOptions {
  readonly engine: Engine
  readonly relay: RelayThread
  readonly pool: SandboxPool
  readonly gatewayAddress: string
  readonly labels: Labels
  readonly className: string
  readonly image: string
  /** undefined: none. */
  readonly limits: EngineLimits | undefined
  /** Aborted when the session ends: what is being made is given up. */
  readonly signal?: AbortSignal
  /** The agent's files as a tar, for the container's root. */
  readonly files: Buffer
  /** Where news of a container is heard: resolves at its first link-down or release. */
  watch(id: ContainerId): {
    readonly linkDown: Promise<void>
    readonly silent: Promise<void>
    readonly oom: Latch
    readonly killed: Latch
    forget(): void
  }
}

/** The tar with the agent that goes into every app container. */
export async function agentFiles(agent: Buffer): Promise<Buffer> {
  const tar = pack()
  tar.entry({ name: '.moorage', type: 'directory', mode: 0o755 })
  tar.entry({ name: '.moorage/agent', mode: 0o755 }, agent)
  tar.finalize()
  const chunks: Buffer[] = []
  for await (const chunk of tar as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** Creates, starts and claims a container in a sandbox. On failure nothing of it stays. Owned by the caller: close(). */
export async function prepareContainer(options: PrepareOptions): Promise<Prepared> {
  const { engine, relay, pool, image, limits, labels, signal } = options
  signal?.throwIfAborted()
  const sandbox = await pool.take()
  let id: ContainerId | undefined
  let watched: ReturnType<PrepareOptions['watch']> | undefined
  let closing: Promise<void> | undefined
  const close = (why?: string): Promise<void> => {
    closing ??= (async () => {
      try {
        if (id === undefined) return
        await relay.ask.internet({ address: sandbox.address, allowed: false }).catch(() => undefined)
        await relay.ask.release({ container: id, ...(why === undefined ? {} : { why }) }).catch(() => undefined)
        await engine.remove(id, { force: true })
      } finally {
        watched?.forget()
        await sandbox.close()
      }
    })()
    return closing
  }
  try {
    signal?.throwIfAborted()
    id = await engine.createContainer({
      Image: image,
      Entrypoint: ['/.moorage/agent'],
      Cmd: [],
      ...HELD,
      Labels: labelsOf(labels, 'app', { 'moorage.class': options.className }),
      HostConfig: {
        AutoRemove: true,
        NetworkMode: `container:${sandbox.id}`,
        CapAdd: ['SYS_BOOT'],
        CapDrop: ['NET_RAW'],
        LogConfig: ENGINE_LOG,
        ...limits,
      },
    })
    watched = options.watch(id)
    const [, { exit }] = await Promise.all([
      engine.putArchive(id, '/', options.files),
      engine.wait(id),
      relay.ask.hold({ engine: engine.address, container: id }),
    ])
    signal?.throwIfAborted()
    await engine.start(id)
    signal?.throwIfAborted()
    await relay.ask.claim({ container: id, secret: makeSecret(), gatewayAddress: options.gatewayAddress })
    const heard = watched
    const { silent, oom, killed } = heard
    return {
      id,
      sandbox,
      exit,
      get linkDown() {
        return heard.linkDown
      },
      silent,
      oom,
      killed,
      close,
    }
  } catch (error) {
    await close().catch(() => undefined)
    throw error
  }
}
