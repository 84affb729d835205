import assert from 'node:assert/strict'
import type { NetworkInterfaceInfo } from 'node:os'
import { describe, it } from 'node:test'
import { Addresses, candidateSubnets, clashes, isLocal, refusedNetworks } from '../../../runtime/sandbox/subnet.ts'

const OWN = { cidr: '10.213.4.0/22', bridge: '10.213.4.1', gateway: '10.213.4.2' }

function at(address: string, netmask = '255.255.255.0', internal = false): NetworkInterfaceInfo {
  return { family: 'IPv4', address, netmask, mac: '', cidr: null, internal }
}

describe('the subnets to try', () => {
  it('are /22s of two networks, each once', () => {
    const all = candidateSubnets(0)
    assert.equal(all.length, 128)
    assert.equal(new Set(all.map(({ cidr }) => cidr)).size, 128)
    assert.deepEqual(all[1], OWN)
    assert.deepEqual(all.at(-1), { cidr: '10.214.252.0/22', bridge: '10.214.252.1', gateway: '10.214.252.2' })
  })

  it('begin at a place that differs between sessions, and come round', () => {
    assert.equal(candidateSubnets(127)[0]?.cidr, '10.214.252.0/22')
    assert.equal(candidateSubnets(127)[1]?.cidr, '10.213.0.0/22')
    assert.equal(candidateSubnets(1_000_000)[0]?.cidr, candidateSubnets(1_000_000 % 128)[0]?.cidr)
  })
})

describe('a subnet clashes', () => {
  const cases: readonly (readonly [what: string, is: boolean, address: NetworkInterfaceInfo])[] = [
    ['with an address in it', true, at('10.213.5.9')],
    ['with a network that holds it', true, at('10.0.0.1', '255.0.0.0')],
    ['with a point-to-point address in it', true, at('10.213.7.255', '255.255.255.255')],
    ['not with a neighbour', false, at('10.213.8.1')],
    ['not with a network elsewhere', false, at('192.168.1.7')],
    ['not with a wide network elsewhere', false, at('11.0.0.1', '255.0.0.0')],
  ]
  for (const [what, is, address] of cases) {
    it(what, () => assert.equal(clashes(OWN, { eth0: [at('192.168.1.7')], more: [address] }), is))
  }

  it('with nothing where the machine has only IPv6', () => {
    const six = {
      family: 'IPv6',
      address: '::1',
      netmask: 'ff',
      mac: '',
      cidr: null,
      internal: true,
      scopeid: 0,
    } as const
    assert.equal(clashes(OWN, { lo: [six], none: undefined }), false)
  })
})

describe('addresses of sandboxes', () => {
  it('are all of the subnet but the first and the last, each once', () => {
    const addresses = new Addresses(OWN)
    const all: string[] = []
    assert.throws(
      () => {
        for (;;) all.push(addresses.take())
      },
      { name: 'RangeError', message: 'All addresses of the session are in use.' },
    )
    assert.deepEqual([all[0], all.at(-1), all.length], ['10.213.4.16', '10.213.7.254', 1_007])
    assert.equal(new Set(all).size, all.length)
  })

  it('that are given back are used again last', () => {
    const addresses = new Addresses(OWN)
    const first = addresses.take()
    addresses.giveBack(first)
    assert.equal(addresses.take(), '10.213.4.17')
    for (let i = 18; i < 16 + 1_007; i++) addresses.take()
    assert.equal(addresses.take(), first)
  })
})

describe('what no sandbox may reach', () => {
  const ENGINE = ['172.17.0.0/16', undefined, OWN.cidr, 'fd00::/64', '172.17.0.0/16']

  it('is every other network of the engine, and this machine where the engine runs on it', () => {
    const interfaces = { lo: [at('127.0.0.1', '255.0.0.0', true)], eth0: [at('192.168.1.7')] }
    assert.deepEqual(refusedNetworks(OWN, ENGINE, true, interfaces), ['172.17.0.0/16', '192.168.1.7/32'])
  })

  it('is only the networks where the engine runs elsewhere: our addresses mean others there', () => {
    assert.deepEqual(refusedNetworks(OWN, ENGINE, false, { eth0: [at('192.168.1.7')] }), ['172.17.0.0/16'])
  })

  it('is no more than a gateway can keep', () => {
    const many = Array.from({ length: 400 }, (_, i) => `172.${i >> 8}.${i & 255}.0/24`)
    assert.equal(refusedNetworks(OWN, many, false, {}).length, 256)
  })
})

describe('whether the engine runs here', () => {
  it('is seen by the bridge of its network', () => {
    const id = '0123456789abcdef0123'
    assert.equal(
      isLocal(id, (path) => path === '/sys/class/net/br-0123456789ab'),
      true,
    )
    assert.equal(
      isLocal(id, () => false),
      false,
    )
  })
})
