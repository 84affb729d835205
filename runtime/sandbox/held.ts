import { Latch, within } from '../base/latch.ts'
import type { Attachment } from '../engine/attachment.ts'
import type { CreateOptions } from '../engine/create.ts'
import type { Engine } from '../engine/engine.ts'
import { CLAIM } from '../protocol/agent.ts'
import { encodeFrame, SECRET_BYTES, WIRE_VERSION } from '../protocol/frames.ts'
import type { ContainerId } from '../protocol/model.ts'

const READY_TIMEOUT_MS = 10_000

/** What a container has that starts with our program and whose life hangs on its stdin: when whoever holds that is gone, it ends. */
export const HELD = {
  User: '0:0',
  OpenStdin: true,
  StdinOnce: true,
  AttachStdin: true,
  AttachStdout: true,
  AttachStderr: true,
  Healthcheck: { Test: ['NONE'] },
} as const satisfies Partial<CreateOptions>

/** A running container of our own program (gateway or sandbox) whose life hangs on its stdin, which we hold. */
export interface HeldProgram {
  readonly id: ContainerId
  /** Resolves when it has ended, however. */
  readonly ended: Promise<void>
  /** Ends it and waits until the engine has removed it. */
  close(): Promise<void>
}

/**
 * Creates, claims and starts a container of our program and waits for its `ready`. On failure or abort nothing of it stays.
 * @param secret the gateway's; a sandbox has none and gets zeros.
 */
export async function startHeld(
  engine: Engine,
  options: CreateOptions,
  secret: Uint8Array = new Uint8Array(SECRET_BYTES),
  signal?: AbortSignal,
): Promise<HeldProgram> {
  const id = await engine.createContainer({ ...options, ...HELD })
  const ready = new Latch<boolean>()
  const giveUp = (): void => ready.resolve(false)
  signal?.addEventListener('abort', giveUp)
  let said = ''
  let attachment: Attachment | undefined
  try {
    signal?.throwIfAborted()
    attachment = await engine.attach(id, (_, bytes) => {
      said = (said + bytes.toString('latin1')).slice(-2_000)
      if (said.includes('ready\n')) ready.resolve(true)
    })
    const ended = attachment.closed.then(() => ready.resolve(false))
    signal?.throwIfAborted()
    await engine.start(id)
    attachment.stdin.write(encodeFrame(CLAIM, 0, Uint8Array.of(WIRE_VERSION, ...secret)))
    if ((await within(READY_TIMEOUT_MS, ready.promise)) !== true)
      throw new Error(`It said: ${said.trim() || 'nothing'}`)
    const held = attachment
    return {
      id,
      ended,
      close: async () => {
        held.dispose()
        await engine.remove(id, { force: true })
      },
    }
  } catch (error) {
    attachment?.dispose()
    await engine.remove(id, { force: true }).catch(() => undefined)
    throw error
  } finally {
    // The signal lives as long as the session, and this has started or failed.
    signal?.removeEventListener('abort', giveUp)
  }
}
