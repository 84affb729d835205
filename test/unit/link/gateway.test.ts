import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { describe, it, type TestContext } from 'node:test'
import { type Datagram, GatewayLink } from '../../../runtime/link/gateway.ts'
import type { FlowAddresses } from '../../../runtime/link/proxy-header.ts'
import { encodeFrame, FrameReader } from '../../../runtime/protocol/frames.ts'
import { AGENT_PORT, encodeOpening, FromGateway, Kind, ToGateway, Verdict } from '../../../runtime/protocol/gateway.ts'
import { u32 } from './fake-agent.ts'
import { ByteReader, closed, listener } from './sockets.ts'

const SECRET = new Uint8Array(32).fill(7)
const OPENING_BYTES = encodeOpening(SECRET, 1).length
const PARKED = 8

/** PROXY protocol v2 of a flow from 10.213.0.16:40000 to 1.2.3.4 and a port. */
function proxyHeader(port: number): Buffer {
  const header = Buffer.from('0d0a0d0a000d0a515549540a2111000c0ad5001001020304 9c40 0000'.replaceAll(' ', ''), 'hex')
  header.writeUInt16BE(port, 26)
  return header
}

interface Taken {
  readonly socket: Socket
  readonly flow?: FlowAddresses
  readonly rest: Buffer
}

/** A link to a gateway whose connections come to the test one by one, with their openings read and compared. */
async function setUp(t: TestContext) {
  const gateway = await listener(t)
  const heard = { agents: [] as Taken[], flows: [] as Taken[], datagrams: [] as Datagram[], lost: [] as string[] }
  const waiting: (() => void)[] = []
  const tell = <T>(list: T[], value: T): void => {
    list.push(value)
    for (const resolve of waiting.splice(0)) resolve()
  }
  const link = new GatewayLink({ host: '127.0.0.1', port: gateway.port }, SECRET, {
    onAgent: (socket, rest) => tell(heard.agents, { socket, rest }),
    onFlow: (socket, flow, rest) => tell(heard.flows, { socket, flow, rest }),
    onDatagram: (datagram) => tell(heard.datagrams, datagram),
    onLost: (message) => tell(heard.lost, message),
  })
  t.after(() => link.close())
  const event = (): Promise<void> => new Promise((resolve) => waiting.push(resolve))
  const accept = async (kind: number): Promise<{ socket: Socket; reader: ByteReader }> => {
    const socket = await gateway.next()
    socket.on('end', () => socket.end())
    const reader = new ByteReader(socket)
    const opening = await reader.take(OPENING_BYTES)
    assert.deepEqual(opening, Buffer.from(encodeOpening(SECRET, kind)))
    return { socket, reader }
  }
  return { gateway, link, heard, event, accept }
}

/** An open link with its control connection and its parked ones. */
async function opened(t: TestContext) {
  const all = await setUp(t)
  const opening = all.link.open()
  const control = await all.accept(Kind.CONTROL)
  const parked = []
  for (let i = 0; i < PARKED; i++) parked.push(await all.accept(Kind.PARKED))
  const [cover] = new FrameReader().push(await control.reader.take(9 + 2))
  assert.deepEqual([cover?.type, Buffer.from(cover?.payload ?? [])], [ToGateway.COVER, Buffer.from([53, 0])])
  control.socket.write(encodeFrame(FromGateway.DONE, cover?.id ?? 0, u32(0)))
  await opening
  return { ...all, control, parked }
}

describe('open', () => {
  it('dials a control connection and parks some, each opened with the secret, and covers DNS', async (t) => {
    await opened(t)
  })

  it('rejects where nothing answers', async (t) => {
    const { gateway, link } = await setUp(t)
    gateway.close()
    await assert.rejects(link.open(), { code: 'ECONNREFUSED' })
  })

  it('rejects where the gateway ends the connection, as with a wrong secret', async (t) => {
    const { link, accept, heard } = await setUp(t)
    const refused = assert.rejects(link.open(), { message: 'The gateway was lost.' })
    const { socket } = await accept(Kind.CONTROL)
    socket.end()
    await refused
    assert.deepEqual(heard.lost, ['The connection to the gateway was lost.'])
  })

  it('rejects where the gateway refuses', async (t) => {
    const { link, accept } = await setUp(t)
    const refused = assert.rejects(link.open(), { message: 'The gateway refused (errno 13).' })
    const { socket, reader } = await accept(Kind.CONTROL)
    const [cover] = new FrameReader().push(await reader.take(9 + 2))
    socket.write(encodeFrame(FromGateway.DONE, cover?.id ?? 0, u32(13)))
    await refused
  })

  it('leaves nothing open where it is closed meanwhile', async (t) => {
    const { link, accept } = await setUp(t)
    const refused = assert.rejects(link.open())
    link.close()
    const { socket } = await accept(Kind.CONTROL)
    await Promise.all([refused, closed(socket)])
  })
})

describe('internet', () => {
  it('is told by address and resolves when it is done', async (t) => {
    const { link, control } = await opened(t)
    for (const [allowed, byte] of [
      [true, 1],
      [false, 0],
    ] as const) {
      const done = link.internet('10.213.0.16', allowed)
      const [frame] = new FrameReader().push(await control.reader.take(9 + 5))
      assert.deepEqual([frame?.type, [...(frame?.payload ?? [])]], [ToGateway.INTERNET, [10, 213, 0, 16, byte]])
      control.socket.write(encodeFrame(FromGateway.DONE, frame?.id ?? 0, u32(0)))
      await done
    }
  })

  it('answers go to whom they belong, in any order', async (t) => {
    const { link, control } = await opened(t)
    const first = link.internet('10.213.0.16', true)
    const refused = assert.rejects(link.internet('10.213.0.17', true), { message: 'The gateway refused (errno 2).' })
    const frames = new FrameReader().push(await control.reader.take(2 * (9 + 5)))
    control.socket.write(encodeFrame(FromGateway.DONE, frames[1]?.id ?? 0, u32(2)))
    await refused
    control.socket.write(encodeFrame(FromGateway.DONE, frames[0]?.id ?? 0, u32(0)))
    await first
  })
})

describe('a flow', () => {
  it('is handed over with its addresses and first bytes, and another connection is parked for it', async (t) => {
    const { parked, event, heard, accept } = await opened(t)
    const came = event()
    parked[0]?.socket.write(Buffer.concat([proxyHeader(443), Buffer.from('hello')]))
    await came
    assert.deepEqual(
      heard.flows.map(
        ({ flow, rest }) =>
          `${flow?.source}:${flow?.sourcePort} -> ${flow?.destination}:${flow?.destinationPort} ${rest}`,
      ),
      ['10.213.0.16:40000 -> 1.2.3.4:443 hello'],
    )
    await accept(Kind.PARKED)
    heard.flows[0]?.socket.end(Uint8Array.of(Verdict.REFUSE))
    assert.deepEqual([...((await parked[0]?.reader.take(1)) ?? [])], [Verdict.REFUSE])
  })

  it('is read also where its header comes byte by byte', async (t) => {
    const { parked, event, heard } = await opened(t)
    const came = event()
    parked[0]?.socket.setNoDelay(true)
    for (const byte of proxyHeader(80)) {
      await new Promise((resolve) => parked[0]?.socket.write(Uint8Array.of(byte), resolve))
    }
    await came
    assert.equal(heard.flows[0]?.flow?.destinationPort, 80)
  })

  it('loses no bytes that come before the listener reads', async (t) => {
    const { parked, event, heard } = await opened(t)
    const came = event()
    parked[0]?.socket.write(proxyHeader(80))
    await came
    parked[0]?.socket.write('later')
    const { socket } = heard.flows[0] as Taken
    socket.resume()
    assert.equal(String((await once(socket, 'data'))[0]), 'later')
  })

  it('to the agent port is an agent’s link, taken at once', async (t) => {
    const { parked, event, heard } = await opened(t)
    const came = event()
    parked[0]?.socket.write(Buffer.concat([proxyHeader(AGENT_PORT), Buffer.from('MRGA')]))
    await came
    assert.deepEqual([...((await parked[0]?.reader.take(1)) ?? [])], [Verdict.TAKE])
    assert.equal(String(heard.agents[0]?.rest), 'MRGA')
    assert.equal(heard.flows.length, 0)
  })

  it('without a proper header is closed, and another connection is parked', async (t) => {
    const { parked, heard, accept } = await opened(t)
    parked[0]?.socket.write('GET / HTTP/1.1\r\n')
    await closed(parked[0]!.socket)
    await accept(Kind.PARKED)
    assert.equal(heard.flows.length, 0)
  })

  it('is made up for where a parked connection breaks', async (t) => {
    const { parked, accept } = await opened(t)
    parked[0]?.socket.destroy()
    await accept(Kind.PARKED)
  })
})

describe('a datagram', () => {
  const payload = Buffer.concat([Buffer.from([10, 213, 0, 16, 0x40, 0x9c, 10, 213, 0, 2]), Buffer.from('query')])

  it('is told with its source, and answered under its number', async (t) => {
    const { control, event, heard } = await opened(t)
    const came = event()
    control.socket.write(encodeFrame(FromGateway.DATAGRAM, 9, payload))
    await came
    const datagram = heard.datagrams[0] as Datagram
    assert.deepEqual([datagram.source, String(datagram.bytes)], ['10.213.0.16', 'query'])
    datagram.answer(Buffer.from('answer'))
    const [frame] = new FrameReader().push(await control.reader.take(9 + 6))
    assert.deepEqual(
      [frame?.type, frame?.id, String(Buffer.from(frame?.payload ?? []))],
      [ToGateway.ANSWER, 9, 'answer'],
    )
  })

  it('without a query is passed over', async (t) => {
    const { control, event, heard } = await opened(t)
    const came = event()
    control.socket.write(encodeFrame(FromGateway.DATAGRAM, 8, payload.subarray(0, 10)))
    control.socket.write(encodeFrame(FromGateway.DATAGRAM, 9, payload))
    await came
    assert.equal(heard.datagrams.length, 1)
  })
})

describe('the end', () => {
  it('is told once when the gateway is lost; what waits is rejected, what is parked is closed', async (t) => {
    const { link, control, parked, event, heard } = await opened(t)
    const refused = assert.rejects(link.internet('10.213.0.16', true), { message: 'The gateway was lost.' })
    await control.reader.take(9 + 5)
    const lost = event()
    control.socket.destroy()
    await Promise.all([lost, refused, ...parked.map(({ socket }) => closed(socket))])
    await assert.rejects(link.internet('10.213.0.16', true), { message: 'The gateway was lost.' })
    assert.deepEqual(heard.lost, ['The connection to the gateway was lost.'])
  })

  it('comes where the gateway breaks the wire’s rules', async (t) => {
    const { control, event, heard } = await opened(t)
    const lost = event()
    control.socket.write(Buffer.from('ffffffff2000000000', 'hex'))
    await lost
    assert.equal(heard.lost.length, 1)
  })

  it('by close() is not told', async (t) => {
    const { link, control, parked, heard } = await opened(t)
    link.close()
    await Promise.all([control, ...parked].map(({ socket }) => closed(socket)))
    assert.deepEqual(heard.lost, [])
  })
})
