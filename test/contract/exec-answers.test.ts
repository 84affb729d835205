import assert from 'node:assert/strict'
import { it } from 'node:test'
import { aboutOnce, ContractObject, until } from '../support/contract/object.ts'

const SCRIPT = 'echo one; sleep 0.3; echo two'
const MIB = 1_048_576
/** Compressed, as wrangler does where it is asked to, a line would wait for more of them. */
const PLAIN = { 'accept-encoding': 'identity' }

/** The body of an answer, as what a script writes. */
async function body(object: ContractObject, way: string, script: string): Promise<Response> {
  const path = way === 'rpc' ? 'stdout' : `fetch/exec/${way}`
  return object.fetch(`${path}?${new URLSearchParams({ script })}`, {
    signal: AbortSignal.timeout(60_000),
    headers: PLAIN,
  })
}

aboutOnce('the output of a process, as an answer', () => {
  for (const [way, text] of Object.entries({
    stdout: 'one\ntwo\n',
    combined: 'one\ntwo\n',
    terminal: 'one\r\ntwo\r\n',
    tee: 'one\ntwo\n',
    waitUntil: 'one\ntwo\n',
    through: 'one\ntwo\n',
    identity: 'one\ntwo\n',
    rpc: 'one\ntwo\n',
  })) {
    it(`reaches the client: ${way}`, async () => {
      await using object = new ContractObject('Plain')
      assert.equal(await (await body(object, way, SCRIPT)).text(), text)
    })
  }

  it('reaches the client as it comes', async () => {
    await using object = new ContractObject('Plain')
    const reader = (await body(object, 'stdout', 'echo one; sleep 1000')).body?.getReader()
    assert.equal(new TextDecoder().decode((await reader?.read())?.value), 'one\n')
    await reader?.cancel()
  })

  for (const way of ['stdout', 'through', 'identity', 'terminal']) {
    it(`ends the process when the client goes away: ${way}`, async () => {
      await using object = new ContractObject('Plain')
      const reader = (await body(object, way, 'while :; do echo tick; sleep 0.05; done')).body?.getReader()
      await reader?.read()
      await reader?.cancel()
      await until('nothing runs', async () => (await object.run('execLife', 'others')).length === 0)
    })
  }

  it('is all there, however much it is', async () => {
    await using object = new ContractObject('Plain')
    const response = await body(object, 'stdout', `head -c ${24 * MIB} /dev/zero`)
    assert.equal((await response.arrayBuffer()).byteLength, 24 * MIB)
  })
})
