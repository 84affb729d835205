// A session of one process, joined by another: the same model and events, everything can be done, and the first goes on.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { joinSession, type ObjectKey, type OpenProcess, type Session } from '../../../runtime/index.ts'
import { MoorageError } from '../../../runtime/protocol/errors.ts'
import { Cli } from '../../support/cli.ts'
import type { Project } from '../../support/project.ts'
import { type Box, copyFixture, Events, Running, runIn, until } from '../../support/session.ts'

/** Joins the session of a folder, and hears all of it. */
async function join(folder: string): Promise<Running> {
  const events = new Events()
  return new Running(await joinSession(folder, { onEvent: (event) => events.add(event) }), events, folder)
}

/** Runs it until it has begun, not until it serves. */
async function begin(folder: string): Promise<Cli> {
  const cli = Cli.start(folder)
  await until('it has begun', () =>
    cli.lock().then(
      () => true,
      () => false,
    ),
  )
  return cli
}

/** Opens a process and gives all that it writes. */
async function open(session: Session, key: ObjectKey, argv: readonly string[], more: object = {}) {
  const heard = { stdout: '', stderr: '' }
  const process: OpenProcess = await session.object(key).exec({
    argv,
    onOutput: (stream, bytes) => {
      heard[stream] += Buffer.from(bytes).toString('latin1')
    },
    ...more,
  })
  return { process, heard }
}

describe('a session that runs in another process', () => {
  let project: Project
  let cli: Cli
  let joined: Running
  let box: Box
  before(async () => {
    project = await copyFixture('box')
    cli = await begin(project.folder)
    joined = await join(project.folder)
    box = joined.box('alice')
    await box.start()
  })
  after(async () => {
    await joined?.[Symbol.asyncDispose]()
    await cli?.[Symbol.asyncDispose]()
    await project?.[Symbol.asyncDispose]()
  })

  it('is joined also while it starts, as the one that it is', async () => {
    const { id, own, urls, model } = joined.session
    assert.deepEqual([id, own, urls], [(await cli.lock()).session, false, [await cli.url()]])
    assert.deepEqual([model.session, model.engine.state, model.projects[0]?.name], [id, 'ready', 'box'])
  })

  it('tells what happens in it by events that lead to the model that it has itself', async () => {
    const { all } = joined.events
    assert.deepEqual(
      all.map(({ seq }) => seq),
      all.map((_, i) => (all[0]?.seq ?? 0) + i),
    )
    assert.equal(box.container.state, 'running')
    await using other = await join(project.folder)
    // What one joins with is the session's own model, the other's came about by events.
    const plain = (model: unknown): unknown => JSON.parse(JSON.stringify(model))
    await until('both are at the same event', () =>
      isDeepStrictEqual(plain(joined.session.model), plain(other.session.model)),
    )
  })

  it('starts, stops and signals its containers, and reads their logs', async () => {
    const alice = joined.session.object(box.key)
    const begins = (life: number) =>
      joined.events.next('its first line', (event) => event.type === 'container-log' && event.life === life)
    let from = joined.events.now
    await alice.stop()
    assert.equal((await box.end(from)).reason.kind, 'signalled')
    await alice.start()
    assert.equal(box.container.state, 'running')
    await begins(2)
    from = joined.events.now
    await alice.signal(9)
    assert.deepEqual((await box.end(from)).reason, { kind: 'signalled', by: 'person', sent: 9, exitCode: 137 })
    await alice.start()
    await begins(3)
    const first = box.containerId
    await alice.restart()
    assert.notEqual(box.containerId, first)
    await begins(4)
    const lines = (await alice.logs()).filter(({ text }) => text === 'box one begins')
    assert.deepEqual(
      lines.map(({ life }) => life),
      [1, 2, 3, 4],
    )
  })

  it('opens processes with pipes, and with terminals', async () => {
    const { process, heard } = await open(joined.session, box.key, ['sh', '-c', 'cat; echo oops >&2; exit 7'])
    await process.write(Buffer.from('hello'))
    await process.end()
    assert.deepEqual([(await process.ended).exitCode, heard], [7, { stdout: 'hello', stderr: 'oops\n' }])
    const known = joined.session.model.processes.find(({ id }) => id === process.id)
    assert.deepEqual([known?.by, known?.pid, known?.end?.exitCode], ['person', process.pid, 7])

    const tty = { tty: { cols: 100, rows: 30 } }
    const terminal = await open(joined.session, box.key, ['sh', '-c', 'stty size; read line; stty size'], tty)
    await until('it says its size', () => terminal.heard.stdout !== '')
    await terminal.process.resize(80, 24)
    await terminal.process.write(Buffer.from('\n'))
    await terminal.process.ended
    assert.match(terminal.heard.stdout, /^30 100\r\n[\s\S]*24 80\r\n$/)

    await assert.rejects(open(joined.session, box.key, ['no-such-program']), {
      code: 'executable-not-found',
      message: /no-such-program.*no such file/,
    })
  })

  it('ends processes by a signal, whoever opened them', async () => {
    const { process } = await open(joined.session, box.key, ['sleep', '1000'])
    await using other = await join(project.folder)
    await other.session.process(process.id).signal(15)
    const { exitCode, signal } = await process.ended
    assert.deepEqual({ exitCode, signal }, { exitCode: 143, signal: 15 })
  })

  it('shows the output of a process to all who want it, each byte once', async () => {
    const { process, heard } = await open(joined.session, box.key, ['sh', '-c', 'echo before; cat'])
    await until('it writes', () => heard.stdout !== '')
    await using other = await join(project.folder)
    const followed = await Promise.all(
      [joined, joined, other].map(async ({ session }) => {
        const followed = { text: '' }
        const kept = await session.process(process.id).output((_, bytes) => {
          followed.text += Buffer.from(bytes)
        })
        followed.text = [...kept.head, ...kept.tail].map(({ bytes }) => Buffer.from(bytes)).join('') + followed.text
        return followed
      }),
    )
    await process.write(Buffer.from('after'))
    await process.end()
    await process.ended
    await until('all have it', () => followed.every(({ text }) => text.length >= 12))
    assert.deepEqual(followed, [{ text: 'before\nafter' }, { text: 'before\nafter' }, { text: 'before\nafter' }])
    assert.equal(heard.stdout, 'before\nafter')
  })

  it('moves bytes exactly, and no faster than they are taken', async () => {
    const input = Buffer.alloc(3_000_000, 'moorage')
    const { process, heard } = await open(joined.session, box.key, ['cat'])
    await process.write(input)
    await process.end()
    await process.ended
    assert.ok(input.equals(Buffer.from(heard.stdout)))

    let taken = 0
    let take: () => void = () => undefined
    const slow = new Promise<void>((resolve) => {
      take = resolve
    })
    const zeros = await joined.session.object(box.key).exec({
      argv: ['head', '-c', '50000000', '/dev/zero'],
      onOutput: async (_, bytes) => {
        await slow
        taken += bytes.length
      },
    })
    const written = await joined.events.next(
      'what it has written',
      (event) =>
        event.type === 'process' && event.process.id === zeros.id && event.process.bytesOut > 0 && event.process,
    )
    assert.ok(written.end === undefined && written.bytesOut < 10_000_000, JSON.stringify(written))
    take()
    assert.equal((await zeros.ended).exitCode, 0)
    await until('all is taken', () => taken === 50_000_000)
  })

  it('is found by whoever wants to start a second one', async () => {
    const error = await runIn(project.folder).then(
      () => undefined,
      (reason: unknown) => reason,
    )
    assert.ok(error instanceof MoorageError)
    assert.equal(error.code, 'session-exists')
    await using other = await join(error.detail.folder as string)
    assert.equal(other.session.id, joined.session.id)
  })

  it('goes on when it is left, without what was opened through the joining', async () => {
    const other = await join(project.folder)
    const { process } = await open(other.session, box.key, ['sleep', '4711'])
    const from = joined.events.now
    await other.session.dispose()
    const end = await joined.events.next(
      'the end of its process',
      (event) => event.type === 'process' && event.process.id === process.id && event.process.end,
      from,
    )
    assert.equal(end.signal, 9)
    assert.equal(await joined.text('/'), 'hello')
    assert.equal(box.container.state, 'running')
  })

  it('tells everything of its end, and then that it has ended', async () => {
    const from = joined.events.now
    cli.child.kill('SIGTERM')
    const error = (await joined.session.failed) as MoorageError
    assert.deepEqual([error.code, error.message], ['session-ended', 'The session has ended.'])
    assert.deepEqual((await box.end(from)).reason, { kind: 'session-ended' })
    assert.equal(joined.events.all.at(-1)?.type, 'disposed')
    await assert.rejects(joined.session.rebuild(), { code: 'session-ended' })
    await cli.ended
    await assert.rejects(joinSession(project.folder), { code: 'no-session' })
  })

  it('shows that it has ended also where its process was killed', async () => {
    await using killed = await begin(project.folder)
    await using other = await join(project.folder)
    killed.child.kill('SIGKILL')
    const error = (await other.session.failed) as MoorageError
    assert.deepEqual([error.code, error.message], ['session-ended', 'The session’s process has ended.'])
  })
})
