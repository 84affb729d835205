import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { FromGateway, ToGateway, Verdict } from '../../../runtime/protocol/gateway.ts'
import { number, readExactly, take, u16 } from '../../support/native.ts'
import { type App, type Sandbox, Stage } from './stage.ts'

let stage: Stage
let sandbox: Sandbox
let neighbour: Sandbox
let app: App
/** A server of the host, at an address that is outside of the sandboxes' network: what the internet is to a sandbox. */
let outside: Server
let outsidePort: number
/** Who connected to it last. */
let outsidePeer: string | undefined

before(async () => {
  stage = await Stage.open()
  sandbox = await stage.sandbox()
  neighbour = await stage.sandbox()
  app = await stage.app(sandbox)
  await app.run({ argv: ['sleep', '1000'] })
  outside = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {})
    outsidePeer = socket.remoteAddress
    socket.write('hello\n')
    socket.pipe(socket)
  })
  outside.listen(0, stage.outsideAddress)
  await once(outside, 'listening')
  outsidePort = (outside.address() as AddressInfo).port
})
after(async () => {
  outside.close()
  await stage[Symbol.asyncDispose]()
})

let requests = 1
/** Tells the gateway something and checks that it did it. */
async function tell(type: number, payload: Uint8Array | readonly number[]): Promise<void> {
  assert.equal(await ask(type, payload), 0)
}

/** Asks the gateway for something and returns the errno of its answer. */
async function ask(type: number, payload: Uint8Array | readonly number[]): Promise<number> {
  const id = requests++
  stage.relay.control.send(type, id, payload)
  return number((await stage.relay.control.next(id, FromGateway.DONE)).payload)
}

const internet = (on: boolean) => [...sandbox.address.split('.').map(Number), on ? 1 : 0]

/** What nc in the sandbox says about a connection; its input stays open as long as the peer keeps it. */
async function nc(address: string, port: number, input = ''): Promise<string> {
  return (await app.shell(`printf '${input}' | nc -w 3 ${address} ${port} 2>&1`)).out.trim()
}

const refused = (address: string) => `nc: can't connect to remote host (${address}): Connection refused`

describe('a sandbox', () => {
  it('has no way but through the gateway, which is its resolver', async () => {
    const { out } = await app.shell(
      'cat /etc/resolv.conf; cat /proc/net/route | wc -l; grep -c Cap.*0000000000000000 /proc/self/status',
    )
    assert.equal(out.split('options')[0], `nameserver ${stage.gatewayAddress}\n`)
  })

  it("is refused everything at once: the internet, the host, its neighbours, the gateway, the engine's resolver", async () => {
    for (const address of [
      '1.2.3.4',
      stage.outsideAddress,
      stage.bridgeAddress,
      neighbour.address,
      stage.gatewayAddress,
    ]) {
      assert.equal(await nc(address, 80), refused(address))
    }
    assert.equal(await nc(stage.outsideAddress, outsidePort), refused(stage.outsideAddress))
    for (const address of ['127.0.0.11', '255.255.255.255', '224.0.0.251']) {
      const { out } = await app.shell(`nslookup -type=a name ${address} 2>&1`)
      assert.equal(out, `nslookup: can't connect to remote host (${address}): No route to host\n`)
    }
  })

  it('cannot be reached by what is not a sandbox', async () => {
    await tell(ToGateway.COVER, u16(8081))
    const socket = connect(8081, stage.gatewayAddress)
    await assert.rejects(once(socket, 'close'), { code: 'ECONNRESET' })
    await tell(ToGateway.UNCOVER, u16(8081))
  })
})

describe('a covered port', () => {
  before(() => tell(ToGateway.COVER, u16(80)))
  after(() => tell(ToGateway.UNCOVER, u16(80)))

  it('brings flows to the relay, with where they came from and wanted to go in front', async () => {
    const client = nc('1.2.3.4', 80, 'question')
    const flow = await stage.relay.flow('1.2.3.4:80')
    assert.equal(flow.from.split(':')[0], sandbox.address)
    const socket = take(flow)
    assert.equal((await readExactly(socket, 8)).toString(), 'question')
    socket.end('answer')
    assert.equal(await client, 'answer')
  })

  it('shows the first bytes before the verdict, and repeats none after it', async () => {
    const client = app.shell("(printf 'first '; sleep 0.05; printf 'second') | nc -w 3 5.6.7.8 80")
    const flow = await stage.relay.flow('5.6.7.8:80')
    flow.socket.unshift(flow.first)
    assert.equal((await readExactly(flow.socket, 6)).toString(), 'first ')
    flow.socket.write(Uint8Array.of(Verdict.TAKE))
    assert.equal((await readExactly(flow.socket, 6)).toString(), 'second')
    flow.socket.end('done')
    assert.equal((await client).out, 'done')
  })

  it('resets a flow that the relay refuses', async () => {
    const client = app.shell('wget -q -O- http://1.2.3.4/ 2>&1')
    const flow = await stage.relay.flow(80)
    flow.socket.write(Uint8Array.of(Verdict.REFUSE))
    assert.match((await client).out, /Connection reset by peer/)
  })

  it('leaves ports that are not covered refused', async () => {
    assert.equal(await nc('1.2.3.4', 81), refused('1.2.3.4'))
  })

  it('covers a port once, and again after it was uncovered', async () => {
    await tell(ToGateway.COVER, u16(8443))
    await tell(ToGateway.COVER, u16(8443))
    await tell(ToGateway.UNCOVER, u16(8443))
    assert.equal(await nc('1.2.3.4', 8443), refused('1.2.3.4'))
    await tell(ToGateway.UNCOVER, u16(8443))
    await tell(ToGateway.COVER, u16(8443))
    const client = nc('1.2.3.4', 8443)
    take(await stage.relay.flow(8443)).end('again')
    assert.equal(await client, 'again')
    await tell(ToGateway.UNCOVER, u16(8443))
    assert.notEqual(await ask(ToGateway.COVER, u16(0)), 0)
    assert.notEqual(await ask(ToGateway.COVER, [1]), 0)
  })

  it('moves 64 MiB each way, unharmed', async () => {
    const size = 64 << 20
    const client = app.shell(`head -c ${size} /dev/zero | nc -w 20 1.2.3.4 80 | wc -c`)
    const socket = take(await stage.relay.flow(80))
    let got = 0
    socket.on('data', (chunk: Buffer) => {
      got += chunk.length
      if (!socket.write(chunk)) {
        socket.pause()
        socket.once('drain', () => socket.resume())
      }
    })
    await once(socket, 'end')
    socket.end()
    assert.equal((await client).out, `${size}\n`)
    assert.equal(got, size)
  })
})

describe('a direct flow', () => {
  before(() => tell(ToGateway.COVER, u16(outsidePort)))
  after(() => tell(ToGateway.UNCOVER, u16(outsidePort)))

  async function direct(address: string): Promise<void> {
    const flow = await stage.relay.flow(`${address}:${outsidePort}`)
    flow.socket.write(Uint8Array.of(Verdict.DIRECT))
    await once(flow.socket.resume(), 'close')
  }

  it('goes to its destination, with all that the relay was shown', async () => {
    const client = nc(stage.outsideAddress, outsidePort, 'spoken first')
    await direct(stage.outsideAddress)
    assert.equal(await client, 'hello\nspoken first')
  })

  it('never goes to the host or a neighbour, whatever the relay says', async () => {
    for (const address of [stage.bridgeAddress, neighbour.address, stage.gatewayAddress]) {
      const client = app.shell(`wget -q -O- http://${address}:${outsidePort}/ 2>&1`)
      await direct(address)
      assert.match((await client).out, /Connection reset by peer/)
    }
  })
})

describe('the internet', () => {
  after(() => tell(ToGateway.INTERNET, internet(false)))

  it('is open to the sandbox that may have it, and closed again', async () => {
    assert.equal(await nc(stage.outsideAddress, outsidePort), refused(stage.outsideAddress))
    await tell(ToGateway.INTERNET, internet(true))
    await tell(ToGateway.INTERNET, internet(true))
    assert.equal(await nc(stage.outsideAddress, outsidePort, 'more'), 'hello\nmore')
    // A host whose firewall sees bridged packets would not translate the sandbox's address any more.
    assert.equal(outsidePeer, stage.gatewayAddress)
    assert.equal(await nc(stage.bridgeAddress, outsidePort), refused(stage.bridgeAddress))
    assert.equal(await nc(neighbour.address, outsidePort), refused(neighbour.address))
    await tell(ToGateway.INTERNET, internet(false))
    assert.equal(await nc(stage.outsideAddress, outsidePort), refused(stage.outsideAddress))
  })

  it('carries UDP, and says at once where a port is closed', async () => {
    const udp = createSocket('udp4')
    udp.bind(0, stage.outsideAddress)
    await once(udp, 'listening')
    // TFTP, which busybox speaks: a request, the first and last block, its acknowledgement.
    udp.on('message', (_, from) => udp.send(Buffer.from('\0\x03\0\x01by UDP'), from.port, from.address))
    await tell(ToGateway.INTERNET, internet(true))
    const { out } = await app.shell(`tftp -g -l /dev/stdout -r file ${stage.outsideAddress} ${udp.address().port} 2>&1`)
    udp.close()
    assert.equal(out, 'by UDP')
    const closed = createServer().listen(0, stage.outsideAddress)
    await once(closed, 'listening')
    const { port } = closed.address() as AddressInfo
    closed.close()
    await once(closed, 'close')
    assert.equal(await nc(stage.outsideAddress, port), refused(stage.outsideAddress))
  })

  it('is for sandboxes only', async () => {
    for (const address of [stage.bridgeAddress, stage.gatewayAddress, '8.8.8.8']) {
      assert.notEqual(await ask(ToGateway.INTERNET, [...address.split('.').map(Number), 1]), 0)
    }
  })
})

/** A DNS answer to a query: the address for an A question, nothing for any other. */
function answer(query: Buffer, address: string): Buffer {
  let end = 12
  while (query[end] !== 0) end += query[end]! + 1
  const isA = query.readUInt16BE(end + 1) === 1
  const question = query.subarray(12, end + 5)
  const head = Buffer.from([query[0]!, query[1]!, 0x81, 0x80, 0, 1, 0, isA ? 1 : 0, 0, 0, 0, 0])
  if (!isA) return Buffer.concat([head, question])
  const record = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, ...address.split('.').map(Number)])
  return Buffer.concat([head, question, record])
}

describe('a DNS query', () => {
  it('comes to the relay, whatever address was asked, and is answered from there', async () => {
    const isQuery = (f: { type: number }) => f.type === FromGateway.DATAGRAM
    for (const server of ['', '9.9.9.9', neighbour.address]) {
      let done = false
      const client = app.shell(`nslookup -type=a example.test ${server}`).finally(() => (done = true))
      const { id, payload } = await stage.relay.control.nextWhere(isQuery)
      assert.equal(done, false)
      assert.equal(payload.subarray(0, 4).join('.'), sandbox.address)
      assert.equal(payload.subarray(6, 10).join('.'), server || stage.gatewayAddress)
      const query = Buffer.from(payload.subarray(10))
      assert.ok(query.includes('\x07example\x04test\0'))
      stage.relay.control.send(ToGateway.ANSWER, id, answer(query, '198.18.0.1'))
      // Answered twice, or answered when nobody asked: nothing happens.
      stage.relay.control.send(ToGateway.ANSWER, id, answer(query, '198.18.0.2'))
      stage.relay.control.send(ToGateway.ANSWER, 12_345, answer(query, '198.18.0.3'))
      assert.match((await client).out, /Name:\texample\.test\nAddress: 198\.18\.0\.1\n\n$/)
    }
  })
})
