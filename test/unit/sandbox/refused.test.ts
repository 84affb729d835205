import assert from 'node:assert/strict'
import type { NetworkInterfaceInfo } from 'node:os'
import { describe, it } from 'node:test'
import { refusedNetworks } from '../../../runtime/sandbox/subnet.ts'

const OWN = { cidr: '10.213.4.0/22', bridge: '10.213.4.1', gateway: '10.213.4.2' }
const ENGINE = ['172.17.0.0/16', undefined, OWN.cidr, 'fd00::/64', '172.17.0.0/16']

function at(address: string, internal = false): NetworkInterfaceInfo {
  return { family: 'IPv4', address, netmask: '255.255.255.0', mac: '', cidr: null, internal }
}

describe('what no sandbox may reach', () => {
  it('is every other network of the engine, and this machine where the engine runs on it', () => {
    const interfaces = { lo: [at('127.0.0.1', true)], eth0: [at('192.168.1.7')] }
    assert.deepEqual(refusedNetworks(OWN, ENGINE, true, interfaces), ['172.17.0.0/16', '192.168.1.7/32'])
  })

  it('is only the networks where the engine runs elsewhere: our addresses mean others there', () => {
    assert.deepEqual(refusedNetworks(OWN, ENGINE, false, { eth0: [at('192.168.1.7')] }), ['172.17.0.0/16'])
  })
})
