/** Our end of the wire to a session that another process runs (protocol/share.ts). */
import { WebSocket } from 'ws'
import { z } from 'zod'
import type { Session } from '../front.ts'
import { CLIENT_TOKEN } from '../protocol/client.ts'
import { MoorageError } from '../protocol/errors.ts'
import type { SessionEvent } from '../protocol/events.ts'
import type { SessionModel } from '../protocol/model.ts'
import { Closed, type Hello, SHARE_PATH, SHARE_VERSION, type Welcome } from '../protocol/share.ts'
import { JoinedSession } from './joined.ts'
import { read } from './port.ts'

const MAX_MESSAGE_BYTES = 268_435_456

/** That it is of our version says what is in the model. */
const welcome = z.object({
  version: z.literal(SHARE_VERSION),
  model: z.looseObject({ session: z.string() }),
  seq: z.number().int(),
  urls: z.array(z.string()),
})

/** Where a session listens on this machine. */
export interface ShareAddress {
  readonly port: number
  /** Of its relay, where processes are opened. */
  readonly relayPort: number
  readonly token: string
}

export interface ShareOptions {
  readonly onEvent?: (event: SessionEvent, model: SessionModel) => void
  readonly signal?: AbortSignal
}

/**
 * Joins the session that listens at a loopback port.
 * @throws MoorageError; nothing is left open then.
 */
export async function joinShare(at: ShareAddress, options: ShareOptions = {}): Promise<Session> {
  const socket = new WebSocket(`ws://127.0.0.1:${at.port}${SHARE_PATH}`, {
    headers: { [CLIENT_TOKEN]: at.token },
    maxPayload: MAX_MESSAGE_BYTES,
    perMessageDeflate: false,
  })
  const { signal, onEvent } = options
  const abort = (): void => socket.terminate()
  signal?.addEventListener('abort', abort)
  try {
    return await new Promise<Session>((resolve, reject) => {
      socket.once('open', () => socket.send(JSON.stringify({ version: SHARE_VERSION } satisfies Hello)))
      socket.once('error', ({ message }) =>
        reject(new MoorageError('no-session', `The session does not answer: ${message}`)),
      )
      const over = (code: number, reason: Buffer): void => reject(closedError(code, reason.toString()))
      socket.once('close', over)
      socket.once('message', (data, isBinary) => {
        socket.off('close', over)
        // At once: the events come right behind.
        try {
          const { model, seq, urls } = welcome.parse(read(data, isBinary)) as unknown as Welcome
          const relay = { port: at.relayPort, token: at.token }
          resolve(new JoinedSession({ socket, model, seq, urls, relay, onEvent, closedError }))
        } catch {
          socket.terminate()
          reject(closedError(Closed.NOT_UNDERSTOOD, 'The session was not understood.'))
        }
      })
      if (signal?.aborted === true) abort()
    })
  } catch (error) {
    throw signal?.aborted === true ? new MoorageError('no-session', 'The joining was cancelled.') : error
  } finally {
    signal?.removeEventListener('abort', abort)
    // What else goes wrong with the connection shows as its end.
    socket.on('error', () => socket.terminate())
  }
}

/** What an end of the connection means. */
function closedError(code: number, reason: string): MoorageError {
  if (code === Closed.ENDED) return new MoorageError('session-ended', reason)
  if (code === Closed.OTHER_VERSION) {
    return new MoorageError('other-version', reason, { advice: ['Use the same Moorage in both, or end that session.'] })
  }
  if (code === Closed.SLOW) {
    return new MoorageError('join-dropped', `The session left this program behind: ${reason}`, {
      advice: ['Join it again.'],
    })
  }
  if (code === Closed.NOT_UNDERSTOOD) {
    return new MoorageError('join-dropped', `The session ended the connection: ${reason}`)
  }
  return new MoorageError('session-ended', 'The session’s process has ended.')
}
