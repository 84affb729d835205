import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { describe, it, type TestContext } from 'node:test'
import { type WebSocket, WebSocketServer } from 'ws'
import { Latch } from '../../../runtime/base/latch.ts'
import type { ExecOptions } from '../../../runtime/front.ts'
import { objectKey, type ProcessId } from '../../../runtime/protocol/model.ts'
import { execThrough, type Joined } from '../../../runtime/share/process.ts'

const ALICE = objectKey('Box', 'a'.repeat(64))

/** A relay that a test plays, and what one who opens a process does. */
async function setUp(t: TestContext, options: Partial<ExecOptions> = {}) {
  const relay = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  t.after(() => relay.close())
  await once(relay, 'listening')
  const { port } = relay.address() as { port: number }
  const came = once(relay, 'connection') as Promise<[WebSocket, IncomingMessage]>
  const heard: string[] = []
  let joined: Joined | undefined
  const opening = execThrough(
    { port, token: 'a-token' },
    ALICE,
    {
      argv: ['sh'],
      onOutput: (stream, bytes) => void heard.push(`${stream} ${Buffer.from(bytes)}`),
      onNote: (text) => heard.push(`note ${text}`),
      ...options,
    },
    (connection) => {
      joined = connection
    },
  )
  opening.catch(() => undefined)
  const [client, request] = await came
  t.after(() => client.terminate())
  const got: string[] = []
  const [first] = (await once(client, 'message')) as [Buffer]
  client.on('message', (data: Buffer, isBinary) => got.push(isBinary ? `${data.length} bytes` : data.toString()))
  const say = (message: object): void => client.send(JSON.stringify(message))
  const start = (): void => say({ type: 'started', id: 'p', pid: 42, command: ['sh'] })
  return {
    client,
    request,
    asked: JSON.parse(first.toString()) as unknown,
    got,
    say,
    start,
    opening,
    heard,
    close: () => joined?.close(),
  }
}

describe('a process that is opened at the relay', () => {
  it('is asked for with the token, heard, and ends as it ended', async (t) => {
    const tty = { cols: 80, rows: 24 }
    const { request, asked, client, say, start, opening, heard } = await setUp(t, { env: { A: 'b' }, tty })
    assert.equal(request.headers['x-moorage-client'], 'a-token')
    assert.deepEqual(asked, { version: 2, object: ALICE, argv: ['sh'], env: { A: 'b' }, tty, stdin: true })
    say({ type: 'note', text: 'a busybox' })
    start()
    const { id, pid, command, ended } = await opening
    assert.deepEqual([id, pid, command], ['p' as ProcessId, 42, ['sh']])
    client.send(Buffer.from('\x01out'))
    client.send(Buffer.from('\x02err'))
    say({ type: 'ended', end: { at: 1, exitCode: 3 } })
    assert.deepEqual(await ended, { at: 1, exitCode: 3 })
    assert.deepEqual(heard, ['note a busybox', 'stdout out', 'stderr err'])
  })

  it('is written to in pieces, and what comes after comes after all of them', async (t) => {
    const { client, start, opening, got } = await setUp(t)
    start()
    const process = await opening
    const wrote = [process.write(Buffer.alloc(2_500_000)), process.end()]
    while (got.length < 4) await once(client, 'message')
    await Promise.all(wrote)
    assert.deepEqual(got, ['1048576 bytes', '1048576 bytes', '402848 bytes', '{"type":"eof"}'])
  })

  it('is refused with code, sentence and advice', async (t) => {
    const { say, opening } = await setUp(t)
    say({ type: 'refused', code: 'executable-not-found', message: 'There is no sh.', advice: ['Add one.'] })
    await assert.rejects(opening, { code: 'executable-not-found', message: 'There is no sh.', advice: ['Add one.'] })
  })

  it('is lost with its connection, before it runs and while it does', async (t) => {
    const early = await setUp(t)
    early.client.terminate()
    await assert.rejects(early.opening, { code: 'session-ended' })
    const late = await setUp(t)
    late.start()
    const { ended } = await late.opening
    late.close()
    assert.equal((await ended).lost, 'The connection to the session ended.')
  })

  it('is not read on while what it wrote is not taken', async (t) => {
    const taking = new Latch()
    let bytes = 0
    const { client, say, start, opening } = await setUp(t, {
      onOutput: async (_, piece) => {
        bytes += piece.length
        await taking.promise
      },
    })
    start()
    const { ended } = await opening
    const all = 64 * 1_048_576
    for (let i = 0; i < 64; i++) client.send(Buffer.alloc(1_048_577, 1))
    say({ type: 'ended', end: { at: 1, exitCode: 0 } })
    while (bytes === 0) await new Promise((resolve) => setImmediate(resolve))
    assert.ok(bytes < all / 2)
    taking.resolve()
    await ended
    assert.equal(bytes, all)
  })
})
