import assert from 'node:assert/strict'
import { it } from 'node:test'
import { type Args, aboutOnce, ContractObject, type Told, until } from '../support/contract/object.ts'

const ask = (sentence: string, args?: Args): Promise<Told> => new ContractObject('Hooked').once('hooks', sentence, args)

/** A message of the class about an exit. */
const exited = (code: number) => `Container exited with unexpected exit code: ${code}`

aboutOnce('Container: onStart', () => {
  it('runs once the ports are ready, with running true', async () => {
    assert.deepEqual(await ask('onStart'), [{ hook: 'onStart', running: true }])
  })

  it('can fetch its own container', async () => {
    assert.equal(await ask('onStartFetches'), 'ok')
  })

  it('runs after start() too, which waits for no port', async () => {
    assert.deepEqual(await ask('startWithoutPorts'), { hooks: ['onStart'], state: 'running', running: true })
  })

  it('makes the start fail when it throws', async () => {
    await assert.rejects(ask('onStartThrows'), /onStart does not want to/)
  })
})

aboutOnce('Container: onStop', () => {
  for (const code of [0, 3]) {
    it(`is told exit code ${code} and the reason`, async () => {
      assert.deepEqual(await ask('onStopWithCode', { code: String(code) }), {
        exitCode: code,
        reason: 'exit',
        running: false,
        hooks: ['onStart', 'onStop'],
      })
    })
  }

  it('runs after stop(), which sends TERM', async () => {
    assert.deepEqual(await ask('onStopAfterStop'), { exitCode: 0, reason: 'exit' })
  })

  it('is told 137 after stop("SIGKILL")', async () => {
    assert.deepEqual(await ask('onStopAfterSignal'), { exitCode: 137, reason: 'exit' })
  })

  it('is told 137 after destroy()', async () => {
    assert.deepEqual(await ask('onStopAfterDestroy'), { exitCode: 137, reason: 'exit' })
  })
})

aboutOnce('Container: onError', () => {
  it('is told when the container cannot start, and start() rejects', async () => {
    const { started, error, hooks, state } = await ask('onErrorWhenItCannotStart')
    assert.equal(started.rejected?.message, 'Container failed to start')
    assert.equal(error.message, 'Container failed to start')
    assert.match(error.cause, /\/no\/such\/executable/)
    assert.ok(!hooks.includes('onStart'))
    assert.equal(state, 'stopped')
  })

  it('is told when a port stays closed, and the start rejects with the platform’s text', async () => {
    const { started, error, running } = await ask('onErrorWhenThePortStaysClosed')
    assert.match(started.rejected?.message, /The Container is not listening to port 8099/)
    assert.match(error.value, /Failed to verify port 8099 is available after \d+ms, last error: .*not listening/)
    assert.equal(running, true)
  })

  it('is told when the container crashes before its port is open', async () => {
    const { failed, error } = await ask('onErrorWhenItCrashesMeanwhile')
    assert.equal(failed, true)
    assert.match(error.message, new RegExp(`crashed while checking for ports|${exited(9)}`))
  })
})

aboutOnce('Container: sleepAfter and onActivityExpired', () => {
  it('ends the container with TERM after sleepAfter, the hooks in order', async () => {
    assert.deepEqual(await ask('sleepAfter'), {
      notBefore: true,
      hooks: ['onStart', 'onActivityExpired', 'onStop'],
      exitCode: 0,
      running: false,
    })
  })

  it('takes sleepAfter as text', async () => {
    assert.equal(await ask('sleepAfterText'), true)
  })

  it('does not expire while a request is under way', async () => {
    assert.deepEqual(await ask('sleepAfterWaits'), { expired: false, answer: 'released' })
  })

  it('starts anew with each request', async () => {
    assert.deepEqual(await ask('requestsRenew'), ['onStart'])
  })

  it('asks again where onActivityExpired does not stop the container', async () => {
    assert.equal(await ask('expiresAgain'), true)
  })
})

aboutOnce('Container: schedule', () => {
  it('calls the method after a delay, with the payload', async () => {
    assert.deepEqual(await ask('schedule'), {
      callback: 'scheduled',
      type: 'delayed',
      delayInSeconds: 1,
      payload: { some: 'payload' },
      running: true,
    })
  })

  it('calls the method at a date', async () => {
    assert.deepEqual(await ask('scheduleAtADate'), { type: 'scheduled', payload: 'later' })
  })

  it('calls the method without a running container', async () => {
    assert.deepEqual(await ask('scheduleWithoutContainer'), { payload: 'alone', running: false })
  })

  it('can be called in onStart', async () => {
    assert.equal(await ask('scheduleInOnStart'), 'from onStart')
  })
})

aboutOnce('Container: ports', () => {
  it('waits for all requiredPorts', async () => {
    assert.equal(await ask('requiredPorts'), 'ok')
  })

  it('waits for a slow server before onStart', async () => {
    assert.deepEqual(await ask('slowServer'), { waited: true, hooks: ['onStart'] })
  })

  it('waits in waitForPort for a slow server', async () => {
    assert.deepEqual(await ask('waitForPort'), { tries: 'number', answer: 'ok' })
  })

  it('gives up in waitForPort when it is aborted', async () => {
    assert.equal((await ask('waitForPortAborted')).rejected?.message, 'Container request aborted.')
  })

  it('asks pingEndpoint, host and path', async () => {
    assert.equal(await ask('pingEndpoint'), true)
  })

  it('asks http://ping without one', async () => {
    assert.equal(await ask('pingsByDefault'), true)
  })
})

aboutOnce('Container: what it is started with', () => {
  it('gives envVars to the container', async () => {
    assert.deepEqual(await ask('envVars'), ['class', 'class'])
  })

  it('gives the entrypoint', async () => {
    assert.deepEqual(await ask('entrypoint'), ['--from-class'])
  })

  it('gives the labels', async () => {
    assert.deepEqual(await ask('labels'), { tenant: 'acme' })
  })

  it('gives enableInternet', async () => {
    assert.equal(await ask('noInternet'), 'ECONNREFUSED')
  })

  it('lets the options of one call win', async () => {
    assert.deepEqual(await ask('startOptions'), { env: 'call', argv: ['--call'], labels: { which: 'call' } })
  })
})

aboutOnce('Container: its state', () => {
  it('is stored from stopped over healthy to stopped with the exit code, and stopped again after onStop', async () => {
    const { states, exitCode } = await ask('states')
    assert.deepEqual([states[0], states[1], states.at(-1)], ['stopped', 'healthy', 'stopped'])
    if (states[2] === 'stopped_with_code') assert.equal(exitCode, 4)
  })

  it('starts once for several requests at once', async () => {
    assert.deepEqual(await ask('startsOnce'), { same: 1, running: true })
  })

  it('starts again for the first request after an end', async () => {
    assert.deepEqual(await ask('startsAgain'), { another: true, starts: 2 })
  })

  it('goes on over an abort of the instance, and onStop of the next instance is told the exit code', async () => {
    await using object = new ContractObject('Hooked')
    const boot = await object.run('hooks', 'boot')
    await object.run('hooks', 'keepsAfterAbort')
    await object.abort('hooks')
    assert.equal(await object.run('hooks', 'boot'), boot)
    assert.equal(await object.run('hooks', 'end'), 8)
  })
})

aboutOnce('Container: answers', () => {
  it('answers 500 where the container cannot start', async () => {
    assert.deepEqual(await ask('cannotStartAnswer'), {
      status: 500,
      text: 'Failed to start container: Container failed to start',
    })
  })

  it('answers 500 where the container ends meanwhile', async () => {
    assert.deepEqual(await ask('crashesWhileAnswering'), {
      status: 500,
      text: 'Container suddenly disconnected, try again',
    })
  })

  it('answers 503 over max_instances', async () => {
    await using first = new ContractObject('HookedFew')
    await using second = new ContractObject('HookedFew')
    assert.equal((await first.fetch('fetch/health')).status, 200)
    const refused = await second.fetch('fetch/health')
    assert.equal(refused.status, 503)
    assert.match(await refused.text(), /There is no Container instance available/)
  })

  it('passes requests and answers through fetch()', async () => {
    await using object = new ContractObject('Hooked')
    const answer = await object.fetch('fetch/echo?q=1', { method: 'POST', body: 'text', headers: { 'x-mine': 'yes' } })
    const { method, url, body, rawHeaders } = (await answer.json()) as Told
    assert.deepEqual([method, url, body], ['POST', '/echo?q=1', 'text'])
    assert.ok(rawHeaders.map((name: string) => name.toLowerCase()).includes('x-mine'))
  })

  it('passes redirects to the client', async () => {
    await using object = new ContractObject('Hooked')
    const answer = await object.fetch('fetch/redirect?to=http://elsewhere.example/', { redirect: 'manual' })
    assert.deepEqual([answer.status, answer.headers.get('location')], [302, 'http://elsewhere.example/'])
  })

  it('goes to another port through switchPort', async () => {
    await using object = new ContractObject('Hooked')
    await object.run('hooks', 'start')
    assert.equal(await (await object.fetch('port/8080/health')).text(), 'ok')
    assert.equal((await object.fetch('port/7999/health')).status, 500)
  })

  it('passes a WebSocket through fetch()', async () => {
    await using object = new ContractObject('Hooked')
    const socket = new WebSocket(`${(await object.url()).replace('http', 'ws')}/fetch/ws`)
    const messages: unknown[] = []
    const closed = new Promise<{ code: number; reason: string }>((resolve, reject) => {
      socket.onopen = () => socket.send('hello')
      socket.onmessage = ({ data }) => {
        messages.push(data)
        socket.send('close')
      }
      socket.onerror = () => reject(new Error('the WebSocket failed'))
      socket.onclose = ({ code, reason }) => resolve({ code, reason })
    })
    assert.deepEqual(await closed, { code: 4001, reason: 'asked' })
    assert.deepEqual(messages, ['hello'])
  })
})

aboutOnce('getContainer and getRandom', () => {
  it('getContainer gives the object of a name, the same each time', async () => {
    const name = `named-${process.pid}`
    await using object = new ContractObject('Hooked', name)
    const boot = await object.run('hooks', 'boot')
    assert.equal(await new ContractObject('Hooked', name).run('hooks', 'boot'), boot)
  })

  it('getContainer gives one object without a name', async () => {
    assert.equal(await (await new ContractObject('Hooked', 'singleton').fetch('')).text(), 'cf-singleton-container')
  })

  it('getRandom gives one of the first n instances', async () => {
    const names = new Set<string>()
    await until('each was chosen', async () => {
      names.add(await (await new ContractObject('Hooked', 'random').fetch('?n=2')).text())
      return names.size === 2
    })
    assert.deepEqual([...names].sort(), ['instance-0', 'instance-1'])
  })
})
