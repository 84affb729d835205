/** The session's end of the wire to those who join it (protocol/share.ts). */
import { type WebSocket, WebSocketServer } from 'ws'
import { z } from 'zod'
import { Latch, within } from '../base/latch.ts'
import type { Session } from '../front.ts'
import { LoopbackServer } from '../link/server.ts'
import { CLIENT_TOKEN } from '../protocol/client.ts'
import { MoorageError } from '../protocol/errors.ts'
import { Closed, SHARE_PATH, SHARE_VERSION, type ShareCalls, type ShareNews, type Welcome } from '../protocol/share.ts'
import { joinCalls } from '../relay/calls.ts'
import { Offers } from './offers.ts'
import { read, SocketPort } from './port.ts'

const MAX_MESSAGE_BYTES = 16_777_216
/** How long the session's end waits for those who joined to hear of it. */
const FAREWELL_MS = 500

const hello = z.object({ version: z.number() })

export interface ShareOptions {
  /** Whoever has it may do what the session's own process may. */
  readonly token: string
  readonly session: Session
  /** Number of the last event that the session's model says. */
  seq(): number
}

interface Joiner {
  readonly gone: Latch
  /** Set once it was welcomed. */
  tell?: (news: ShareNews) => void
}

/** Lets other processes of this machine join a session. */
export class ShareServer {
  readonly #joiners = new Map<WebSocket, Joiner>()
  #failure: ShareNews | undefined
  #server: LoopbackServer | undefined
  #over = false

  /** Listens on a loopback port from now on, and returns it. */
  async listen(options: ShareOptions): Promise<number> {
    const sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE_BYTES })
    const server = new LoopbackServer([{ path: SHARE_PATH, header: CLIENT_TOKEN, token: options.token }], {
      request: (_, response) => void response.writeHead(426).end(),
      upgrade: (request, socket, head) =>
        sockets.handleUpgrade(request, socket, head, (client) => this.#admit(client, options)),
      connect: (_, socket) => socket.destroy(),
    })
    void options.session.failed.then((error) => {
      const { code, advice } = error instanceof MoorageError ? error : { code: undefined, advice: [] }
      this.#failure = { news: 'failed', code, message: error.message, advice }
      for (const joiner of this.#joiners.values()) joiner.tell?.(this.#failure)
    })
    const port = await server.listen()
    if (this.#over) server.close()
    else this.#server = server
    return port
  }

  /** Tells everyone who joined that the session has ended, and listens no more. */
  async close(): Promise<void> {
    this.#over = true
    for (const client of this.#joiners.keys()) client.close(Closed.ENDED, 'The session has ended.')
    await within(FAREWELL_MS, Promise.all([...this.#joiners.values()].map(({ gone }) => gone.promise)))
    this.#server?.close()
  }

  #admit(client: WebSocket, options: ShareOptions): void {
    const joiner: Joiner = { gone: new Latch() }
    this.#joiners.set(client, joiner)
    client.on('error', () => client.terminate())
    client.on('close', () => {
      this.#joiners.delete(client)
      joiner.gone.resolve()
    })
    client.once('message', (data, isBinary) => {
      const asked = hello.safeParse(parsed(() => read(data, isBinary))).data
      if (asked === undefined) client.close(Closed.NOT_UNDERSTOOD, 'A message was not understood.')
      else if (asked.version !== SHARE_VERSION) {
        const said = `The session speaks version ${SHARE_VERSION}, this program version ${asked.version}.`
        client.close(Closed.OTHER_VERSION, said)
      } else {
        joiner.tell = serve(client, options)
        if (this.#failure !== undefined) joiner.tell(this.#failure)
      }
    })
  }
}

/** Welcomes one and does what it asks from then on. @returns what tells it something. */
function serve(client: WebSocket, { session, seq }: ShareOptions): (news: ShareNews) => void {
  const port = new SocketPort(client)
  const { model, urls } = session
  port.postMessage({ version: SHARE_VERSION, model, seq: seq(), urls } satisfies Welcome)
  const tell = (news: ShareNews): void => calls.tell(news)
  const offers = new Offers(session, tell)
  const calls = joinCalls<object, ShareCalls>(port, offers.calls, (news) => offers.hear(news))
  const unhear = session.onEvent((event) => tell({ news: 'event', event }))
  client.on('close', () => {
    unhear()
    void offers.close().catch(() => undefined)
  })
  return tell
}

function parsed(reading: () => unknown): unknown {
  try {
    return reading()
  } catch {
    return undefined
  }
}
