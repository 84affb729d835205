import assert from 'node:assert/strict'
import { it } from 'node:test'
import { about, aboutOnce, ContractObject } from '../support/contract/object.ts'

about('the network without internet', 'network', (ask) => {
  it('refuses every address at once, and is the default', async () => {
    const { how, tookMs } = await ask('dial', { host: '192.0.2.1', port: '80' })
    assert.equal(how, 'ECONNREFUSED')
    assert.ok(tookMs < 500, `it took ${tookMs} ms`)
  })

  it('refuses every address with enableInternet: false', async () => {
    assert.equal((await ask('dial', { internet: 'false', host: '198.51.100.7', port: '443' })).how, 'ECONNREFUSED')
  })
})

aboutOnce('the network', () => {
  for (const internet of ['false', 'true']) {
    it(`keeps other objects’ containers out of reach with enableInternet: ${internet}`, async () => {
      await using other = new ContractObject('Plain')
      await using object = new ContractObject('Plain')
      const [address] = await other.run('network', 'addresses', { internet: 'false' })
      const { how } = await object.run('network', 'dial', { internet, host: address, port: '8080' })
      assert.equal(how, 'ECONNREFUSED')
    })
  }

  it('keeps the engine’s own addresses out of reach', async () => {
    await using object = new ContractObject('Plain')
    const [address] = await object.run('network', 'addresses', { internet: 'false' })
    await object.run('life', 'destroy')
    const bridge = address.replace(/\.\d+$/, '.1')
    const { how } = await object.run('network', 'dial', { internet: 'false', host: bridge, port: '22' })
    assert.equal(how, 'ECONNREFUSED')
  })

  it('lets two containers listen on the same port', async () => {
    await using one = new ContractObject('Plain')
    await using two = new ContractObject('Plain')
    const boots = await Promise.all([one.run('life', 'boot'), two.run('life', 'boot')])
    assert.notEqual(boots[0], boots[1])
    assert.deepEqual(await Promise.all([one.run('life', 'whichBoot'), two.run('life', 'whichBoot')]), boots)
  })
})
