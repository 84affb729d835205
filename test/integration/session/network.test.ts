// What a container can reach, and what reaches it.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { networkInterfaces } from 'node:os'
import { after, before, describe, it } from 'node:test'
import { containersOf, docker } from '../../support/left.ts'
import { canStandIn, type Outside, standIn } from '../../support/outside.ts'
import { type Box, type Running, run, until } from '../../support/session.ts'

const refused = { code: 'ECONNREFUSED' }

describe('the network of a container', () => {
  let running: Running
  let outside: Outside | undefined
  let offline: Box
  let online: Box
  let neighbour: string
  let bridge: string
  const host = createServer((socket) => socket.end('the host')).unref()
  // Those that were there when the session began: others may make and remove networks meanwhile.
  const own = Object.values(networkInterfaces()).flatMap((list) => list ?? [])

  before(async () => {
    if (canStandIn()) outside = await standIn()
    host.listen(0, '0.0.0.0')
    await once(host, 'listening')
    running = await run('box')
    offline = running.box('offline')
    online = running.box('online')
    const crate = running.box('crate', 'Crate')
    await Promise.all([offline.start(), online.start({ enableInternet: true }), crate.start()])
    // The sandbox that the crate's container is in, and the engine's own end of the bridge.
    const mode = await docker(['inspect', '--format', '{{.HostConfig.NetworkMode}}', crate.containerId])
    const network = '{{range .NetworkSettings.Networks}}{{.IPAddress}} {{.Gateway}}{{end}}'
    ;[neighbour, bridge] = (await docker(['inspect', '--format', network, mode.replace('container:', '')])).split(
      ' ',
    ) as [string, string]
  })
  after(async () => {
    await running?.[Symbol.asyncDispose]()
    await outside?.[Symbol.asyncDispose]()
    host.close()
  })

  const tcp = async (box: Box, address: string, port: number) => {
    const { tookMs: _, ...outcome } = await box.ask(`tcp?host=${address}&port=${port}`)
    return outcome
  }
  const udp = async (box: Box, address: string, port: number) => {
    const { tookMs: _, ...outcome } = await box.ask(`udp?host=${address}&port=${port}`)
    return outcome
  }
  const hostPort = (): number => (host.address() as { port: number }).port

  it('without internet refuses everything at once', async () => {
    assert.deepEqual(await tcp(offline, '1.2.3.4', 80), refused)
    assert.deepEqual(await tcp(offline, '1.2.3.4', 443), refused)
    assert.deepEqual(await tcp(offline, '1.2.3.4', 25), refused)
    if (outside) assert.deepEqual(await tcp(offline, outside.address, outside.port), refused)
    const { code } = await udp(offline, '1.2.3.4', 123)
    assert.equal(code, 'ECONNREFUSED')
  })

  it('with internet lets TCP and UDP through, and a closed port there looks closed', async (t) => {
    if (!outside) return t.skip('the stand-in needs root on Linux')
    const { address, port, closedPort } = outside
    assert.deepEqual(await tcp(online, address, port), { said: 'echo: hello' })
    assert.deepEqual(await udp(online, address, port), { said: 'echo: hello' })
    assert.deepEqual(await tcp(online, address, closedPort), refused)
  })

  for (const which of ['without', 'with'] as const) {
    it(`${which} internet keeps other objects, the host and the engine’s networks out of reach`, async () => {
      const box = which === 'with' ? online : offline
      assert.deepEqual(await tcp(box, neighbour, 8080), refused, 'another object')
      assert.deepEqual(await tcp(box, bridge, hostPort()), refused, 'the bridge')
      for (const { family, address, internal } of own) {
        if (family !== 'IPv4' || internal) continue
        assert.deepEqual(await tcp(box, address, hostPort()), refused, `the host at ${address}`)
      }
    })
  }

  it('with internet keeps networks out of reach that the engine gets later', async () => {
    const name = `later-${running.session.id}`
    await docker(['network', 'create', name])
    try {
      const later = await docker(['network', 'inspect', '--format', '{{(index .IPAM.Config 0).Gateway}}', name])
      await until('the host is refused there, too', async () => {
        const outcome = (await tcp(online, later, hostPort())) as { code?: string }
        return outcome.code === 'ECONNREFUSED'
      })
    } finally {
      await docker(['network', 'rm', name])
    }
  })

  it('without internet knows no names, and asks nobody for them', async () => {
    assert.deepEqual(await offline.ask('dns?name=example.com'), { code: 'ENOTFOUND' })
    assert.deepEqual(await offline.ask('dns?name=crate'), { code: 'ENOTFOUND' })
  })

  it('is its own: two containers listen on one port, and no port needs an EXPOSE', async () => {
    const [one, two] = [await offline.ask(''), await online.ask('')]
    assert.notEqual(one.began, two.began)
    const third = running.box('many')
    await third.start({ entrypoint: ['node', 'server.mjs', '--port', '8080', '--port', '9999', '--port', '81'] })
    for (const port of [9999, 81]) assert.equal((await third.ask('', port)).version, 'one')
    await third.do('destroy')
  })

  it('stays what it was when the gateway is replaced', async () => {
    const began = [(await offline.ask('')).began, (await online.ask('')).began]
    const [gateway] = await containersOf(running.session.id, 'gateway')
    await docker(['kill', gateway!])
    await until('a new gateway is there', async () => {
      const [now] = await containersOf(running.session.id, 'gateway')
      return now !== undefined && now !== gateway
    })
    assert.deepEqual([(await offline.ask('')).began, (await online.ask('')).began], began)
    assert.deepEqual(await tcp(offline, '1.2.3.4', 80), refused)
    assert.deepEqual(await tcp(online, neighbour, 8080), refused)
    assert.deepEqual(await offline.ask('dns?name=example.com'), { code: 'ENOTFOUND' })
    if (!outside) return
    assert.deepEqual(await tcp(offline, outside.address, outside.port), refused)
    assert.deepEqual(await tcp(online, outside.address, outside.port), { said: 'echo: hello' })
    assert.deepEqual(await udp(online, outside.address, outside.port), { said: 'echo: hello' })
  })

  it('of a restarted object is that of its new start', async () => {
    if (!outside) return
    await online.do('destroy')
    await online.start()
    assert.deepEqual(await tcp(online, outside.address, outside.port), refused)
    await online.do('destroy')
    await online.start({ enableInternet: true })
    assert.deepEqual(await tcp(online, outside.address, outside.port), { said: 'echo: hello' })
  })
})
