import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { constants } from 'node:os'
import { describe, it } from 'node:test'
import { FromAgent, Step, Stream, ToAgent } from '../../../runtime/protocol/agent.ts'
import { MAX_PAYLOAD_BYTES, WINDOW_BYTES } from '../../../runtime/protocol/frames.ts'
import { all, type Frames, failure, number, readExactly, u16, u32 } from '../../support/native.ts'
import { SanitizedAgent } from './sanitized.ts'

/** A server of the container: its port, and its connections in order. */
class Listener {
  readonly server: Server
  #sockets: Socket[] = []

  private constructor(server: Server) {
    this.server = server
    server.on('connection', (socket) => {
      socket.on('error', () => {})
      socket.pause()
      this.#sockets.push(socket)
      server.emit('taken')
    })
  }

  static async at(host: string): Promise<Listener> {
    const server = createServer({ allowHalfOpen: true })
    server.listen(0, host)
    await once(server, 'listening')
    return new Listener(server)
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port
  }

  async socket(): Promise<Socket> {
    while (this.#sockets.length === 0) await once(this.server, 'taken')
    return this.#sockets.shift()!
  }

  [Symbol.dispose](): void {
    this.server.close()
    for (const socket of this.#sockets) socket.destroy()
  }
}

async function dial(link: Frames, id: number, server: Listener): Promise<Socket> {
  link.send(ToAgent.DIAL, id, u16(server.port))
  await link.next(id, FromAgent.OPENED)
  return await server.socket()
}

describe('DIAL', () => {
  it('reaches servers on 127.0.0.1 and on ::1', async () => {
    const { agent, link } = await SanitizedAgent.linked()
    await using _ = agent
    for (const [i, host] of ['127.0.0.1', '::1', '::'].entries()) {
      using server = await Listener.at(host)
      const socket = await dial(link, i + 1, server)
      socket.end(host)
      assert.equal(await all(link, i + 1, Stream.CONNECTION), host)
      socket.destroy()
    }
  })

  it('says ECONNREFUSED where nothing listens, and takes the id again', async () => {
    const { agent, link } = await SanitizedAgent.linked()
    await using _ = agent
    const gone = await Listener.at('127.0.0.1')
    const { port } = gone
    gone.server.close()
    for (let i = 0; i < 3; i++) {
      link.send(ToAgent.DIAL, 9, u16(port))
      assert.deepEqual(await failure(link, 9), [constants.errno.ECONNREFUSED, Step.CONNECT])
    }
  })

  it('takes bytes at once, before it has answered', async () => {
    const { agent, link } = await SanitizedAgent.linked()
    await using _ = agent
    using server = await Listener.at('::1')
    link.send(ToAgent.DIAL, 3, u16(server.port))
    link.send(ToAgent.DATA, 3, Buffer.from('early'))
    link.send(ToAgent.EOF, 3)
    const socket = await server.socket()
    assert.equal((await readExactly(socket, 5)).toString(), 'early')
    socket.resume()
    await once(socket, 'end')
    socket.end('late')
    assert.equal(await all(link, 3, Stream.CONNECTION), 'late')
  })

  it('passes on each half of an end by itself, then the id is free', async () => {
    const { agent, link } = await SanitizedAgent.linked()
    await using _ = agent
    using server = await Listener.at('127.0.0.1')
    const first = await dial(link, 4, server)
    first.end('server is done')
    assert.equal(await all(link, 4, Stream.CONNECTION), 'server is done')
    link.send(ToAgent.DATA, 4, Buffer.from('client is not'))
    assert.equal((await readExactly(first, 13)).toString(), 'client is not')
    link.send(ToAgent.EOF, 4)
    const second = await dial(link, 4, server)
    second.destroy()
  })

  it('tells a reset, and passes one on', async () => {
    const { agent, link } = await SanitizedAgent.linked()
    await using _ = agent
    using server = await Listener.at('127.0.0.1')
    const reset = await dial(link, 5, server)
    reset.resetAndDestroy()
    assert.deepEqual(await failure(link, 5), [constants.errno.ECONNRESET, Step.CONNECT])
    const socket = await dial(link, 5, server)
    link.send(ToAgent.CLOSE, 5)
    socket.resume()
    await assert.rejects(once(socket, 'close'), { code: 'ECONNRESET' })
  })

  it('stops reading a server at one window, which holds nothing else up', async () => {
    const { agent, link } = await SanitizedAgent.linked()
    await using _ = agent
    using server = await Listener.at('127.0.0.1')
    const slow = await dial(link, 6, server)
    slow.end(Buffer.alloc(4 * WINDOW_BYTES))
    const seen = () =>
      link.rest.filter((f) => f.id === 6 && f.type === FromAgent.DATA).reduce((sum, f) => sum + f.payload.length - 1, 0)
    const quick = await dial(link, 7, server)
    for (let i = 0; seen() < WINDOW_BYTES; i++) {
      link.send(ToAgent.DATA, 7, [i & 255])
      assert.equal((await readExactly(quick, 1))[0], i & 255)
    }
    assert.equal(seen(), WINDOW_BYTES)
    link.send(ToAgent.CREDIT, 6, [Stream.CONNECTION, ...u32(WINDOW_BYTES)])
    assert.equal((await all(link, 6, Stream.CONNECTION)).length, 4 * WINDOW_BYTES)
    quick.destroy()
  })

  it('moves much both ways at once, in order', async () => {
    const { agent, link } = await SanitizedAgent.linked()
    await using _ = agent
    using server = await Listener.at('127.0.0.1')
    const socket = await dial(link, 8, server)
    socket.pipe(socket)
    const bytes = Buffer.alloc(8 * WINDOW_BYTES)
    for (let i = 0; i < bytes.length; i += 4) bytes.writeUInt32LE(i, i)
    const echoed = all(link, 8, Stream.CONNECTION)
    let sent = 0
    for (let allowed = WINDOW_BYTES; sent < bytes.length; ) {
      const end = Math.min(bytes.length, sent + Math.min(allowed, MAX_PAYLOAD_BYTES))
      link.send(ToAgent.DATA, 8, bytes.subarray(sent, end))
      allowed -= end - sent
      sent = end
      if (allowed === 0 && sent < bytes.length) allowed = number((await link.next(8, FromAgent.CREDIT)).payload)
    }
    link.send(ToAgent.EOF, 8)
    assert.ok(Buffer.from(await echoed, 'latin1').equals(bytes))
  })
})
