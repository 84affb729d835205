import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, it, type TestContext } from 'node:test'
import { WebSocket, WebSocketServer } from 'ws'
import { Latch } from '../../../runtime/base/latch.ts'
import type { Session } from '../../../runtime/front.ts'
import { MoorageError } from '../../../runtime/protocol/errors.ts'
import type { SessionEvent } from '../../../runtime/protocol/events.ts'
import { objectKey } from '../../../runtime/protocol/model.ts'
import { SHARE_VERSION } from '../../../runtime/protocol/share.ts'
import { joinShare } from '../../../runtime/share/client.ts'
import { ShareServer } from '../../../runtime/share/server.ts'
import { ALICE, FakeSession, PROCESS } from './fake-session.ts'

const TOKEN = 'a-token'

/** A session that others may join. */
async function setUp(t: TestContext) {
  const session = new FakeSession()
  const server = new ShareServer()
  const port = await server.listen({ token: TOKEN, session, seq: () => session.store.seq })
  t.after(() => server.close())
  const join = async (onEvent?: (event: SessionEvent) => void): Promise<Session> => {
    const joined = await joinShare({ port, relayPort: 1, token: TOKEN }, onEvent === undefined ? {} : { onEvent })
    t.after(() => joined.dispose())
    return joined
  }
  /** A client that speaks for itself. */
  const raw = (token = TOKEN): WebSocket =>
    new WebSocket(`ws://127.0.0.1:${port}/share`, { headers: { 'x-moorage-client': token } })
  return { session, server, port, join, raw }
}

/** Resolves when one who joined has heard the event with this number. */
async function heard(joined: Session, seq: number): Promise<void> {
  const latch = new Latch()
  const off = joined.onEvent((event) => {
    if (event.seq >= seq) latch.resolve()
  })
  await latch.promise
  off()
}

describe('a session that was joined', () => {
  it('is the same session, with the same model, and not this process’s own', async (t) => {
    const { session, join } = await setUp(t)
    const joined = await join()
    assert.deepEqual([joined.id, joined.own, joined.urls], ['fake', false, session.urls])
    assert.deepEqual(joined.model, session.model)
  })

  it('tells every event, in order, and has the model that comes of them', async (t) => {
    const { session, join } = await setUp(t)
    const events: SessionEvent[] = []
    const joined = await join((event) => events.push(event))
    const told: SessionEvent[] = []
    session.onEvent((event) => told.push(event))
    for (let i = 0; i < 200; i++) {
      session.store.report({ type: 'advice', text: `${i}` })
      session.store.report({
        type: 'container',
        object: ALICE,
        container: { state: 'starting', life: i, since: i, phase: 'image' },
      })
    }
    session.store.report({
      type: 'project',
      project: { name: 'box', config: '/box', main: '/main.ts', worker: { state: 'starting' } },
      classes: [],
      objects: [],
    })
    await heard(joined, session.store.seq)
    assert.deepEqual(events, told)
    assert.deepEqual(joined.model, session.model)
  })

  it('begins with the model as it is in the middle of events', async (t) => {
    const { session, join } = await setUp(t)
    const ticking = setInterval(() => session.store.report({ type: 'advice', text: 'tick' }), 1)
    t.after(() => clearInterval(ticking))
    const events: SessionEvent[] = []
    const joined = await Promise.all(Array.from({ length: 20 }, () => join((event) => events.push(event))))
    await Promise.all(joined.map((one) => heard(one, session.store.seq)))
    assert.equal(joined.filter((one) => one.model.objects.length === 1).length, 20)
  })

  it('does what is asked of it', async (t) => {
    const { session, join } = await setUp(t)
    const joined = await join()
    const alice = joined.object(ALICE)
    for (const act of [alice.stop, alice.restart, alice.destroy, alice.expire, alice.runAlarm]) await act()
    await alice.signal(2)
    await joined.reload()
    await joined.rebuild()
    await joined.rebuild('Box')
    await joined.cancelBuild('Box')
    assert.deepEqual(session.asked, [
      ...['stop', 'restart', 'destroy', 'expire', 'runAlarm', 'signal 2'],
      ...['reload', 'rebuild undefined', 'rebuild Box', 'cancelBuild Box'],
    ])
    assert.deepEqual(await alice.logs(), [{ at: 1, life: 1, stream: 'stdout', text: 'hello' }])
    assert.equal(Buffer.from(await alice.readFile('/x')).toString('latin1'), 'the file /x\0\xff')
  })

  it('passes errors on with code, sentence, advice and detail', async (t) => {
    const { join } = await setUp(t)
    const joined = await join()
    await assert.rejects(joined.object(ALICE).start(), (error) => {
      assert.ok(error instanceof MoorageError)
      const { code, message, advice, detail } = error
      assert.deepEqual(
        { code, message, advice, detail },
        { code: 'start-failed', message: 'It did not start.', advice: ['Mend it.'], detail: { phase: 'image' } },
      )
      return true
    })
    assert.throws(() => joined.object(objectKey('Box', 'b')), { code: 'no-object' })
    await assert.rejects(joined.object(ALICE).signal(1_000), {
      message: 'The session did not understand what it was asked.',
    })
  })

  it('is watched as long as anyone here watches', async (t) => {
    const { session, join } = await setUp(t)
    const joined = await join()
    const [first, second] = [joined.watch(), joined.watch()]
    first()
    first()
    await joined.reload()
    assert.deepEqual(session.asked, ['watch', 'reload'])
    second()
    await session.was(/^unwatch$/)
  })

  it('says why it cannot go on, and goes on until it ends', async (t) => {
    const { session, join } = await setUp(t)
    const joined = await join()
    session.fails.resolve(new MoorageError('worker-failed', 'wrangler has ended.', { advice: ['Start anew.'] }))
    const error = (await joined.failed) as MoorageError
    assert.deepEqual(
      [error.code, error.message, error.advice],
      ['worker-failed', 'wrangler has ended.', ['Start anew.']],
    )
    await joined.reload()
  })
})

describe('a process in an image of a session that was joined', () => {
  it('is opened with what was asked for, heard, typed into, and ends as it ended', async (t) => {
    const { session, join } = await setUp(t)
    const joined = await join()
    const out: string[] = []
    const process = await joined.execInImage('Box', {
      argv: ['sh'],
      env: { A: 'b' },
      cwd: '/tmp',
      user: 'root',
      tty: { cols: 80, rows: 24 },
      onOutput: (stream, bytes) => void out.push(`${stream} ${Buffer.from(bytes)}`),
      onNote: (text) => out.push(`note ${text}`),
    })
    const asked = '{"argv":["sh"],"env":{"A":"b"},"cwd":"/tmp","user":"root","tty":{"cols":80,"rows":24}}'
    assert.deepEqual(
      [session.asked, process.id, process.pid, process.command],
      [[`execInImage Box ${asked}`], PROCESS, 42, ['sh']],
    )
    const [{ options, ended }] = session.played as [(typeof session.played)[0]]
    options.onNote?.('a busybox')
    void options.onOutput('stdout', Buffer.from('ä'))
    void options.onOutput('stderr', Buffer.from('oops'))
    ended.resolve({ at: 5, exitCode: 3 })
    assert.deepEqual(await process.ended, { at: 5, exitCode: 3 })
    assert.deepEqual(out, ['note a busybox', 'stdout ä', 'stderr oops'])
    await process.write(Buffer.from('hi'))
    await process.resize(100, 30)
    await process.signal(15)
    await process.end()
    assert.deepEqual(
      session.asked.slice(1),
      ['write 2 hi', 'resize 100x30', 'signal 15', 'end'].map((what) => `${PROCESS} ${what}`),
    )
  })

  it('is written to in pieces, in order', async (t) => {
    const { session, join } = await setUp(t)
    const process = (await join()).process(PROCESS)
    await Promise.all([process.write(Buffer.alloc(2_500_000, 'a')), process.write(Buffer.from('b')), process.end()])
    assert.deepEqual(
      session.asked.map((one) => one.replace(`${PROCESS} `, '')),
      ['write 1048576 aaaaaaaa', 'write 1048576 aaaaaaaa', 'write 402848 aaaaaaaa', 'write 1 b', 'end'],
    )
  })

  it('waits for a reader that takes nothing, and goes on when it does', async (t) => {
    const { session, join } = await setUp(t)
    const joined = await join()
    const taking = new Latch()
    let bytes = 0
    await joined.execInImage('Box', {
      argv: ['yes'],
      onOutput: async (_, piece) => {
        bytes += piece.length
        await taking.promise
      },
    })
    const { options } = session.played[0] as (typeof session.played)[0]
    const piece = Buffer.alloc(300_000)
    const told = [1, 2, 3].map(() => options.onOutput('stdout', piece))
    assert.deepEqual(told, [undefined, undefined, undefined])
    const waits = options.onOutput('stdout', piece)
    assert.ok(waits instanceof Promise)
    let went = false
    void waits.then(() => {
      went = true
    })
    await joined.reload()
    assert.deepEqual([went, bytes], [false, 1_200_000])
    taking.resolve()
    await waits
  })

  it('shows what is kept of its output, and what comes after it', async (t) => {
    const { session, join } = await setUp(t)
    const process = (await join()).process(PROCESS)
    const came = new Latch<string>()
    const { head, lostBytes, tail, close } = await process.output((stream, bytes) =>
      came.resolve(`${stream} ${Buffer.from(bytes)}`),
    )
    const said = [...head, ...tail].map(({ stream, bytes }) => `${stream} ${Buffer.from(bytes)}`)
    assert.deepEqual([said, lostBytes], [['stdout one\n', 'stderr two\n', 'stdout three\n'], 7])
    for (const follower of session.followers) follower('stderr', Buffer.from('more'), 0)
    assert.equal(await came.promise, 'stderr more')
    close()
    await session.was(/unfollow/)
    assert.equal(session.followers.size, 0)
    assert.equal((await process.output()).tail.length, 1)
    assert.equal(session.followers.size, 0)
  })
})

describe('the end of a joining', () => {
  it('closes what was opened through it, and nothing else', async (t) => {
    const { session, join } = await setUp(t)
    const [joined, other] = await Promise.all([join(), join()])
    joined.watch()
    const alice = joined.object(ALICE)
    const forward = await alice.forward(80)
    assert.equal(forward.url, 'http://127.0.0.1:1/80')
    await forward.close()
    await alice.forward(81)
    const process = await joined.execInImage('Box', {
      argv: [],
      tty: { cols: 80, rows: 24 },
      onOutput: () => undefined,
    })
    await joined.execInImage('Box', { argv: ['cat'], onOutput: () => undefined })
    await joined.process(PROCESS).output(() => undefined)
    const from = session.asked.length
    await joined.dispose()
    await session.was(/^unwatch$/)
    assert.deepEqual(session.asked.slice(from), [
      `${PROCESS} unfollow`,
      `${PROCESS} signal 9`,
      `${PROCESS} signal 1`,
      'close 81',
      'unwatch',
    ])
    assert.ok(session.asked.includes('close 80'))
    assert.equal((await process.ended).lost, 'The session was left.')
    await assert.rejects(joined.reload(), { code: 'session-ended', message: 'The session was left.' })
    await other.reload()
  })

  it('is told as the session’s end, after its last event', async (t) => {
    const { session, server, join } = await setUp(t)
    const events: string[] = []
    const joined = await join((event) => events.push(event.type))
    const process = await joined.execInImage('Box', { argv: [], onOutput: () => undefined })
    session.store.report({ type: 'disposed' })
    await server.close()
    const error = (await joined.failed) as MoorageError
    assert.deepEqual([error.code, error.message], ['session-ended', 'The session has ended.'])
    assert.deepEqual(events, ['disposed'])
    assert.equal((await process.ended).lost, 'The session has ended.')
    await assert.rejects(joined.reload(), { code: 'session-ended' })
  })

  it('shows where the session says nothing any more', async (t) => {
    const gone = new WebSocketServer({ port: 0, host: '127.0.0.1' })
    t.after(() => gone.close())
    await once(gone, 'listening')
    gone.on('connection', (client) => {
      const { model, urls } = new FakeSession()
      client.once('message', () => {
        client.send(JSON.stringify({ version: SHARE_VERSION, model, seq: 1, urls }))
        client.send(
          '{"kind":"news","value":{"news":"event","event":{"type":"advice","text":"x","seq":2,"at":1}}}',
          () => client.terminate(),
        )
      })
    })
    const events: SessionEvent[] = []
    const { port } = gone.address() as { port: number }
    const joined = await joinShare({ port, relayPort: 1, token: TOKEN }, { onEvent: (event) => events.push(event) })
    const error = (await joined.failed) as MoorageError
    assert.deepEqual(
      [error.code, error.message, events.length],
      ['session-ended', 'The session’s process has ended.', 1],
    )
  })

  it('comes, with the reason, to one who reads nothing', async (t) => {
    const { session, raw } = await setUp(t)
    const client = raw()
    await once(client, 'open')
    client.send(JSON.stringify({ version: SHARE_VERSION }))
    await once(client, 'message')
    client.pause()
    for (let i = 0; i < 90; i++) session.store.report({ type: 'advice', text: 'x'.repeat(1_048_576) })
    client.resume()
    const [code, reason] = (await once(client, 'close')) as [number, Buffer]
    assert.deepEqual([code, reason.toString()], [4002, 'It took too little of what happens in the session.'])
  })
})

describe('joining', () => {
  it('is refused, with both versions, to one of another version', async (t) => {
    const { raw } = await setUp(t)
    const client = raw()
    await once(client, 'open')
    client.send(JSON.stringify({ version: 999 }))
    const [code, reason] = (await once(client, 'close')) as [number, Buffer]
    assert.deepEqual(
      [code, reason.toString()],
      [4001, `The session speaks version ${SHARE_VERSION}, this program version 999.`],
    )
  })

  it('is refused without the token, and to what it does not understand', async (t) => {
    const { port, raw } = await setUp(t)
    await assert.rejects(joinShare({ port, relayPort: 1, token: 'other' }), { code: 'no-session', message: /403/ })
    for (const said of ['{', '[]', '{"kind":"ask","id":1,"name":"reload","args":{}}']) {
      const client = raw()
      await once(client, 'open')
      client.send(said)
      const [code] = (await once(client, 'close')) as [number]
      assert.equal(code, 4003, said)
    }
    const client = raw()
    await once(client, 'open')
    client.send(JSON.stringify({ version: SHARE_VERSION }))
    await once(client, 'message')
    client.send('{"kind":"wish"}')
    const [code] = (await once(client, 'close')) as [number]
    assert.equal(code, 4003)
  })

  it('can be cancelled', async (t) => {
    const { port } = await setUp(t)
    const stop = new AbortController()
    const joining = joinShare({ port, relayPort: 1, token: TOKEN }, { signal: stop.signal })
    stop.abort()
    await assert.rejects(joining, { code: 'no-session', message: 'The joining was cancelled.' })
  })

  it('says that nothing answers where nothing does', async (t) => {
    const { port, server } = await setUp(t)
    await server.close()
    await assert.rejects(joinShare({ port, relayPort: 1, token: TOKEN }), {
      code: 'no-session',
      message: /^The session does not answer: /,
    })
  })
})
