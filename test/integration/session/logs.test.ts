// The log of an object, over all lives of its container, and what is told when one does not end as it should.
import assert from 'node:assert/strict'
import { readdir, stat } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import { filesOf } from '../../support/left.ts'
import { type Running, run, until } from '../../support/session.ts'

describe('the log of an object', () => {
  let running: Running
  before(async () => {
    running = await run('box')
  })
  after(() => running?.[Symbol.asyncDispose]())

  it('is kept over restarts and read from the start, with the life that each line is of', async () => {
    const box = running.box('a')
    await box.start()
    await box.ask('log?lines=2&width=0')
    await box.ask('log?lines=1&width=0&from=2&to=stderr')
    const object = running.session.object(box.key)
    await until('the lines are there', async () => (await object.logs()).length >= 5)
    const { now } = running.events
    await object.restart()
    await running.events.next(
      'the second life',
      (e) => e.type === 'container-log' && e.text === 'listening on 8080',
      now,
    )
    const lines = (await object.logs()).map(({ life, stream, text }) => `${life} ${stream}: ${text.trim()}`)
    assert.deepEqual(
      lines.filter((line) => !line.includes('line 2')),
      [
        '1 stdout: box one begins',
        '1 stdout: listening on 8080',
        '1 stdout: line 0',
        '1 stdout: line 1',
        '2 stdout: box one begins',
        '2 stdout: listening on 8080',
      ],
    )
    // The order between two streams is nobody's promise.
    assert.ok(lines.includes('1 stderr: line 2'))
  })

  it('goes to disk when it is long, is read from the start, and is bounded there', async () => {
    const box = running.box('long')
    await box.start()
    const object = running.session.object(box.key)
    const path = running.file('.wrangler', 'moorage', running.session.id, 'logs')
    const last = (text: string) =>
      running.events.next(`line ${text}`, (e) => e.type === 'container-log' && e.text.startsWith(`line ${text} `))

    await box.ask('log?lines=1000&width=1000')
    await last('999')
    await until('old lines are on the disk', async () => (await readdir(path).catch(() => [])).length > 0)
    const lines = await object.logs()
    assert.equal(lines.length, 1_002)
    assert.deepEqual(
      lines.slice(2).map(({ text }) => Number(text.split(' ')[1])),
      Array.from({ length: 1_000 }, (_, i) => i),
    )

    for (let from = 1_000; from < 25_000; from += 4_000) {
      await box.ask(`log?lines=4000&width=1000&from=${from}`)
      await last(String(from + 3_999))
    }
    const kept = await object.logs()
    const sizes = await Promise.all((await readdir(path)).map(async (name) => (await stat(`${path}/${name}`)).size))
    assert.ok(sizes.reduce((sum, size) => sum + size, 0) < 24 * 1_048_576, `${sizes} bytes`)
    assert.equal(kept.at(-1)?.text.split(' ')[1], '24999')
    assert.ok(kept.length < 25_002 && kept.length > 5_000, `${kept.length} lines`)
    await box.do('destroy')
  })

  it('is where the last words of a container are found that ended by itself', async () => {
    const box = running.box('short')
    assert.deepEqual(await box.start({ entrypoint: ['node', 'server.mjs', '--exit', '3'] }), {
      ended: { exitCode: 3, message: 'Container exited with unexpected exit code: 3' },
    })
    const end = await box.end()
    assert.deepEqual(end.reason, { kind: 'exited', exitCode: 3 })
    assert.deepEqual([...end.lastLog].sort(), ['box one begins', 'ends with 3'])
    assert.equal(end.message, 'The root process ended by itself with exit code 3.')
  })

  it('is there for a container that writes its last words and ends at once', async () => {
    const box = running.box('brief')
    await box.start({ entrypoint: ['sh', '-c', 'echo one; echo two >&2; echo -n three; exit 5'] })
    const end = await box.end()
    assert.deepEqual([...end.lastLog].sort(), ['one', 'three', 'two'])
  })

  it('goes with the session', async () => {
    await running.session.dispose()
    assert.deepEqual(await filesOf(running.folder), [])
  })
})

describe('a root process that ignores TERM because it is PID 1', () => {
  it('is told, with the two usual ways out', async () => {
    await using running = await run('box')
    const box = running.box('deaf')
    await box.do('begin', { entrypoint: ['sleep', '1000'] })
    await until('it runs', () => box.container.state === 'running')
    await box.do('signal/15')
    const advice = await running.events.next('the advice', (e) => e.type === 'advice' && e.object === box.key && e.text)
    assert.equal(
      advice,
      'The root process has no handler for SIGTERM, and the kernel does not give PID 1 the default one: it will not end. ' +
        'Either handle SIGTERM in the app, or start it under an init that passes it on (ENTRYPOINT ["tini", "--"]).',
    )
    assert.equal(await box.do('running'), true)
    // One that handles it is not told anything.
    const { now } = running.events
    const good = running.box('good')
    await good.start()
    await good.do('signal/15')
    assert.deepEqual((await good.end()).reason, { kind: 'signalled', by: 'worker', sent: 15, exitCode: 0 })
    assert.deepEqual(
      running.events.all.slice(now).filter((event) => event.type === 'advice'),
      [],
    )
  })
})
