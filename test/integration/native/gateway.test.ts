import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { FromAgent, Stream, ToAgent } from '../../../runtime/protocol/agent.ts'
import { FromGateway, ToGateway } from '../../../runtime/protocol/gateway.ts'
import { all, number, take, u16 } from '../../support/native.ts'
import { Stage } from './stage.ts'

describe('a gateway', () => {
  it('keeps flows for a relay that comes back, and refuses them after 5 s', async () => {
    await using stage = await Stage.open()
    const sandbox = await stage.sandbox()
    const app = await stage.app(sandbox)
    await app.run({ argv: ['sleep', '1000'] })
    stage.relay.control.send(ToGateway.COVER, 1, u16(80))
    await stage.relay.control.next(1)
    // The agent's own link must stay, so the relay goes without it: only its parked connections and control do.
    stage.relay.detach()

    const early = app.shell('nc -w 20 1.2.3.4 80')
    await app.shell('until grep -q ":0050 0[15]" /proc/net/tcp; do :; done')
    const again = await stage.openRelay()
    take(await again.flow(80)).end('in time')
    assert.equal((await early).out, 'in time')
    again.detach()

    const { out } = await app.shell('wget -q -O- http://1.2.3.4/ 2>&1')
    assert.match(out, /Connection reset by peer/)
  })

  it('gives way to a newer control connection, and keeps the rules', async () => {
    await using stage = await Stage.open()
    const app = await stage.app(await stage.sandbox())
    await app.run({ argv: ['sleep', '1000'] })
    stage.relay.control.send(ToGateway.COVER, 1, u16(80))
    await stage.relay.control.next(1)
    const gone = once(stage.relay.control.socket, 'close')
    const newer = await stage.openRelay()
    await gone
    newer.control.send(ToGateway.UNCOVER, 2, u16(1))
    assert.equal(number((await newer.control.next(2, FromGateway.DONE)).payload), 0)
    const client = app.shell('nc -w 5 1.2.3.4 80')
    take(await Promise.any([newer.flow(80), stage.relay.flow(80)])).end('kept')
    assert.equal((await client).out, 'kept')
  })

  it('is replaced at its address when it was killed: agents come back, the app and its processes go on', async () => {
    await using stage = await Stage.open()
    const sandbox = await stage.sandbox()
    const app = await stage.app(sandbox)
    await app.run({ argv: ['sh', '-c', 'httpd -p 8080 -h /etc; exec sleep 1000'] })
    app.link.command(ToAgent.SPAWN, 5, { argv: ['cat'], flags: 1 })
    const pid = number((await app.link.next(5, FromAgent.STARTED)).payload)
    const lost = once(app.link.socket, 'close')
    await stage.gateway.container.remove({ force: true })
    await lost
    await stage.startGateway({ address: stage.gatewayAddress })
    const { link, hello } = await stage.link(app.secret)
    assert.equal(hello, 1)
    assert.equal(number((await link.next(5, FromAgent.STARTED)).payload), pid)
    link.send(ToAgent.DATA, 5, Buffer.from('still there'))
    link.send(ToAgent.EOF, 5)
    assert.equal(await all(link, 5, Stream.STDOUT), 'still there')
    link.send(ToAgent.DIAL, 6, u16(8080))
    await link.next(6, FromAgent.OPENED)
  })

  it('ends with its stdin, and so does a sandbox', async () => {
    await using stage = await Stage.open()
    const sandbox = await stage.sandbox()
    sandbox.stdin.destroy()
    assert.deepEqual(await sandbox.container.wait(), { Error: null, StatusCode: 0 })
    stage.gateway.stdin.destroy()
    assert.deepEqual(await stage.gateway.container.wait(), { Error: null, StatusCode: 0 })
  })

  it('ends unless it is claimed within 10 s, like sandbox and agent, or a restart by hand would leave them for ever', async () => {
    await using stage = await Stage.open()
    const nobody = new Uint8Array(0)
    const all = await Promise.all([
      stage.start('agent', { Cmd: ['gateway'] }, nobody),
      stage.start('agent', { Cmd: ['sandbox', '10.0.0.1'], HostConfig: { CapAdd: ['NET_ADMIN'] } }, nobody),
      stage.start('agent', { Cmd: [] }, nobody),
    ])
    const ends = await Promise.all(all.map(({ container }) => container.wait()))
    assert.deepEqual(
      ends.map((end) => end.StatusCode),
      [64, 64, 64],
    )
  })

  it('never lets through what it was told to refuse', async () => {
    await using stage = await Stage.open({ refused: ['203.0.113.0/24', '198.51.100.7'] })
    const sandbox = await stage.sandbox()
    const app = await stage.app(sandbox)
    await app.run({ argv: ['sleep', '1000'] })
    stage.relay.control.send(ToGateway.INTERNET, 1, [...sandbox.address.split('.').map(Number), 1])
    await stage.relay.control.next(1)
    for (const address of ['203.0.113.9', '198.51.100.7', stage.bridgeAddress]) {
      const { out } = await app.shell(`nc -w 3 ${address} 80 2>&1`)
      assert.equal(out, `nc: can't connect to remote host (${address}): Connection refused\n`)
    }
  })
})
