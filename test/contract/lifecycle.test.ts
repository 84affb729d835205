import assert from 'node:assert/strict'
import { it } from 'node:test'
import { aboutOnce, ContractObject, until } from '../support/contract/object.ts'

aboutOnce('an object whose instance is aborted', () => {
  it('loses its container within half a second', async () => {
    await using object = new ContractObject('Plain')
    await object.run('life', 'boot')
    await object.abort()
    const aborted = Date.now()
    await until('the container has ended', async () => !(await object.run('life', 'look')).running)
    assert.ok(Date.now() - aborted < 2000, `it took ${Date.now() - aborted} ms`)
  })

  it('can start another container', async () => {
    await using object = new ContractObject('Plain')
    const first = await object.run('life', 'boot')
    await object.abort()
    await until('the container has ended', async () => !(await object.run('life', 'look')).running)
    assert.notEqual(await object.run('life', 'boot'), first)
  })

  it('keeps its container where setInactivityTimeout() was called, and its constructor finds running true', async () => {
    await using object = new ContractObject('Plain')
    const boot = await object.run('life', 'boot')
    await object.run('life', 'inactivityTimeout', { ms: '20000' })
    const before = await object.run('life', 'look')
    await object.abort()
    const after = await object.run('life', 'look')
    assert.notEqual(after.instance, before.instance)
    assert.deepEqual([after.runningInConstructor, after.running], [true, true])
    assert.equal(await object.run('life', 'whichBoot'), boot)
  })

  it('loses its container after the time given to setInactivityTimeout()', async () => {
    await using object = new ContractObject('Plain')
    await object.run('life', 'boot')
    await object.run('life', 'inactivityTimeout', { ms: '400' })
    await object.abort()
    // Asking would bring an instance back, so the time itself is waited for.
    await new Promise((resolve) => setTimeout(resolve, 1500))
    assert.equal((await object.run('life', 'look')).runningInConstructor, false)
  })

  it('finds a container that was destroyed not running', async () => {
    await using object = new ContractObject('Plain')
    await object.run('life', 'boot')
    await object.run('life', 'destroy')
    await object.abort()
    assert.equal((await object.run('life', 'look')).runningInConstructor, false)
  })

  it('can destroy the container that it adopted', async () => {
    await using object = new ContractObject('Plain')
    await object.run('life', 'boot')
    await object.run('life', 'inactivityTimeout', { ms: '20000' })
    await object.abort()
    assert.deepEqual(await object.run('life', 'destroy'), { resolved: 'undefined' })
    assert.equal((await object.run('life', 'look')).running, false)
  })

  it('cannot start the container that it adopted once more', async () => {
    await using object = new ContractObject('Plain')
    await object.run('life', 'boot')
    await object.run('life', 'inactivityTimeout', { ms: '20000' })
    await object.abort()
    const { threw } = await object.run('life', 'startOnly')
    assert.equal(threw?.message, 'start() cannot be called on a container that is already running.')
  })
})

aboutOnce('an object that is idle', () => {
  it('loses its container ten seconds after its last request', async () => {
    await using object = new ContractObject('Plain')
    await object.run('life', 'boot')
    await new Promise((resolve) => setTimeout(resolve, 12_500))
    assert.equal((await object.run('life', 'look')).running, false)
  })

  it('is evicted ten seconds after its last request', async () => {
    await using object = new ContractObject('Plain')
    await object.run('life', 'boot')
    const before = await object.run('life', 'look')
    await new Promise((resolve) => setTimeout(resolve, 12_500))
    const after = await object.run('life', 'look')
    assert.notEqual(after.instance, before.instance)
    assert.equal(after.runningInConstructor, false)
  })

  it('is not evicted while a monitor() is pending', async () => {
    await using object = new ContractObject('Plain')
    await object.run('life', 'boot')
    await object.run('life', 'monitorOn')
    const before = await object.run('life', 'look')
    await new Promise((resolve) => setTimeout(resolve, 13_000))
    const after = await object.run('life', 'look')
    assert.equal(after.instance, before.instance)
    assert.equal(after.running, true)
  })

  it('is evicted and leaves its container where setInactivityTimeout() was called', async () => {
    await using object = new ContractObject('Plain')
    const boot = await object.run('life', 'boot')
    await object.run('life', 'inactivityTimeout', { ms: '60000' })
    const before = await object.run('life', 'look')
    await new Promise((resolve) => setTimeout(resolve, 13_000))
    const after = await object.run('life', 'look')
    assert.notEqual(after.instance, before.instance)
    assert.equal(after.runningInConstructor, true)
    assert.equal(await object.run('life', 'whichBoot'), boot)
  })
})

aboutOnce('an object that hibernates', () => {
  it('finds running true in the constructor that a WebSocket message brings about', async () => {
    await using object = new ContractObject('Plain')
    const boot = await object.run('life', 'boot')
    await object.run('life', 'inactivityTimeout', { ms: '60000' })
    const socket = new WebSocket(`${(await object.url()).replace('http', 'ws')}/fetch/`)
    const look = (): Promise<{ instance: string; runningInConstructor: boolean; running: boolean }> =>
      new Promise((resolve, reject) => {
        socket.onmessage = ({ data }) => resolve(JSON.parse(data))
        socket.onclose = ({ code }) => reject(new Error(`closed: ${code}`))
        socket.send('look')
      })
    await new Promise((resolve, reject) => {
      socket.onopen = resolve
      socket.onerror = () => reject(new Error('the WebSocket failed'))
    })
    const before = await look()
    await new Promise((resolve) => setTimeout(resolve, 13_000))
    const after = await look()
    socket.onclose = null
    socket.close()
    assert.notEqual(after.instance, before.instance)
    assert.deepEqual([after.runningInConstructor, after.running], [true, true])
    assert.equal(await object.run('life', 'whichBoot'), boot)
  })
})

aboutOnce('setInactivityTimeout', () => {
  for (const ms of ['0', '-5']) {
    it(`rejects with a TypeError for ${ms}`, async () => {
      await using object = new ContractObject('Plain')
      assert.deepEqual(await object.run('life', 'inactivityTimeoutWhileRunning', { ms }), {
        rejected: { name: 'TypeError', message: 'setInactivityTimeout() cannot be called with a durationMs <= 0' },
      })
    })
  }

  it('resolves with undefined', async () => {
    await using object = new ContractObject('Plain')
    assert.deepEqual(await object.run('life', 'inactivityTimeoutWhileRunning', { ms: '5000' }), {
      resolved: 'undefined',
    })
  })
})

aboutOnce('an object that starts its container in the constructor', () => {
  it('can ask it something before it is constructed', async () => {
    await using object = new ContractObject('Early')
    assert.equal(await object.run('life', 'firstAnswer'), 'ok')
  })
})

aboutOnce('max_instances', () => {
  it('lets monitor() reject with the platform’s words where there is no instance left', async () => {
    await using first = new ContractObject('Few')
    await using second = new ContractObject('Few')
    await first.run('life', 'boot')
    assert.deepEqual(await second.run('life', 'startOnly'), { resolved: 'undefined' })
    const { rejected } = await second.run('life', 'monitor')
    assert.match(rejected?.message, /there is no container instance that can be provided to this durable object/i)

    await first.run('life', 'destroy')
    assert.equal(typeof (await second.run('life', 'boot')), 'string')
  })
})

aboutOnce('a class without a container', () => {
  it('has no ctx.container', async () => {
    assert.deepEqual(await new ContractObject('Bare').run('life', 'look'), { container: 'undefined', inCtx: false })
  })
})
