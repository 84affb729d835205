import assert from 'node:assert/strict'
import { it } from 'node:test'
import { about, aboutOnce, ContractObject } from '../support/contract/object.ts'

const notRunning = {
  rejected: { name: 'Error', message: 'exec() cannot be called on a container that is not running.' },
}

about('a process and its container', 'execLife', (ask) => {
  it('settles everything when the container is destroyed, with what happened', async () => {
    const { told, again, kill, after } = await ask('destroyed')
    const [exit, line, output] = told
    assert.equal(exit.name, 'Error')
    assert.equal(exit.message, 'The container has ended: Destroyed by the Worker: the contract wants it.')
    assert.deepEqual(line, exit)
    assert.deepEqual(output, exit)
    assert.deepEqual(again, { rejected: exit })
    assert.deepEqual(kill, { resolved: 'undefined' })
    assert.deepEqual(after, notRunning)
  })

  it('settles at once when root in it kills the agent, and says so', async () => {
    const { ends, running } = await ask('agentKilled')
    for (const { rejected } of ends)
      assert.match(rejected?.message, /^The container has ended: .* ended Moorage’s agent/)
    assert.equal(running, false)
  })

  it('rejects exitCode when the root process ends', async () => {
    const { rejected } = await ask('rootEnds')
    assert.equal(rejected?.name, 'Error')
  })

  it('is no unhandled rejection where nobody looks', async () => assert.equal(await ask('nobodyLooks'), 'fine'))

  it('works in a storage transaction', async () => {
    assert.deepEqual(await ask('transaction'), ['in a transaction', 0, 137, 'fed'])
  })

  it('runs in a block that begins in the turn of start()', async () => {
    assert.equal(await ask('startThenBlock'), 'in the block\n')
  })

  it('runs in a transaction that begins in the turn of start()', async () => {
    assert.equal(await ask('startThenTransaction'), 'in the transaction\n')
  })

  it('runs before what a block asks that begins in its turn', async () => {
    assert.deepEqual(await ask('execThenBlock'), ['before\n', 0])
  })

  it('hears a signal before a block that begins in its turn', async () => {
    assert.equal(await ask('killThenBlock'), 137)
  })

  it('works in a block that began after it', async () => {
    assert.deepEqual(await ask('startedBefore'), ['got hello\n', 0])
  })

  it('works after the block that it began in', async () => assert.deepEqual(await ask('startedInside'), ['hello', 0]))
  it('runs until it is killed', async () => assert.deepEqual(await ask('backToBack'), [true, 130]))
})

aboutOnce('a process and its object', () => {
  it('outlives the request that started it', async () => {
    await using object = new ContractObject('Plain')
    await object.run('execLife', 'start')
    assert.equal(await object.run('execLife', 'goOn', { word: 'one' }), 'one')
    assert.equal(await object.run('execLife', 'goOn', { word: 'two' }, 'block'), 'two')
    assert.deepEqual(await object.run('execLife', 'finish'), ['end', 0])
  })

  it('keeps its object in memory while it runs', { timeout: 40_000 }, async () => {
    await using object = new ContractObject('Plain')
    const instance = await object.run('execLife', 'startUnread')
    await new Promise((resolve) => setTimeout(resolve, 14_000))
    assert.equal(await object.run('execLife', 'instance'), instance)
  })

  it('ends with the instance that started it, and so does what it started', async () => {
    await using object = new ContractObject('Plain')
    await object.run('execLife', 'startUnread')
    await object.run('life', 'inactivityTimeout', { ms: '20000' })
    await object.abort()
    // The container lives on; the process has nobody who could ever hear of it.
    assert.deepEqual(await object.run('execLife', 'others'), [])
  })
})
