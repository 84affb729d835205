// Mistakes in code and images that a session waits out: it says what is wrong, and goes on when it is mended.
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { copyFixture, Events, type Running, run, runIn, until } from '../../support/session.ts'

describe('a Worker with a syntax error', () => {
  it('is told, waited for at the first start, and leaves the last good version serving later', async () => {
    await using project = await copyFixture('box')
    const file = join(project.folder, 'src', 'greeting.ts')
    const good = await readFile(file, 'utf8')
    await writeFile(file, 'export const greeting = (\n')
    const events = new Events()
    const starting = runIn(project.folder, { events })
    // It may not reject unheard while we wait for the event.
    starting.catch(() => undefined)
    const failed = (from: number) =>
      events.next('the failure', (e) => e.type === 'worker' && e.worker.state === 'failed' && e.worker, from)
    const first = await failed(0)
    assert.equal(first.serving, false)
    assert.match(first.message, /src\/greeting\.ts:\d+:\d+: /)
    await writeFile(file, good)
    await using running = await starting
    assert.equal(await running.text('/'), 'hello')

    const { now } = events
    await writeFile(file, 'export const greeting = (\n')
    const second = await failed(now)
    assert.equal(second.serving, true)
    assert.equal(await running.text('/'), 'hello')
    await writeFile(file, good.replace('hello', 'mended'))
    await until('the mended version answers', async () => (await running.text('/')) === 'mended')
  })
})

describe('a Worker that throws', () => {
  /** A box whose greeting does something else; what the events tell. */
  async function withGreeting(text: string) {
    await using undo = new AsyncDisposableStack()
    const project = undo.use(await copyFixture('box'))
    const file = join(project.folder, 'src', 'greeting.ts')
    const good = await readFile(file, 'utf8')
    await writeFile(file, text)
    const events = new Events()
    const starting = runIn(project.folder, { events })
    starting.catch(() => undefined)
    const kept = undo.move()
    return { events, starting, mend: () => writeFile(file, good), [Symbol.asyncDispose]: () => kept.disposeAsync() }
  }

  it('while it is loaded, is told with the place in its own file, and waited for', async () => {
    await using box = await withGreeting(`export const greeting: string = fail()\n\nfunction fail(): never {
  throw new Error('at the top')\n}\n`)
    const failed = await box.events.next(
      'the failure',
      (e) => e.type === 'worker' && e.worker.state === 'failed' && e.worker,
    )
    assert.deepEqual(
      failed.message
        .split('\n')
        .slice(0, 3)
        .map((line) => line.trim()),
      ['Uncaught Error: at the top', 'at src/greeting.ts:4:9 in fail', 'at src/greeting.ts:1:33'],
    )
    await box.mend()
    await using running = await box.starting
    assert.equal(await running.text('/'), 'hello')
  })

  it('in its fetch handler, is told with the stack in its own files, and nothing else in it', async () => {
    await using box = await withGreeting(`export const greeting = { toString: () => {
  throw new RangeError('no greeting')\n} } as unknown as string\n`)
    await using running = await box.starting
    assert.equal((await running.fetch('/')).status, 500)
    const lines: string[] = []
    const isError = (e: Parameters<Parameters<typeof box.events.next>[1]>[0]) =>
      e.type === 'worker-log' && e.level === 'error' && lines.push(e.text) === 3
    await box.events.next('the error', isError)
    assert.equal(lines[0], 'RangeError: no greeting')
    assert.match(lines[1] ?? '', /^ {4}at .*\/src\/greeting\.ts:2:9\)$/)
    assert.match(lines[2] ?? '', /^ {4}at .*\/src\/index\.ts:\d+:\d+\)$/)
  })
})

describe('a binding to a class that the Worker does not export', () => {
  it('is told with the name of the Worker’s own file', async () => {
    await using project = await copyFixture('box')
    const config = join(project.folder, 'wrangler.jsonc')
    const text = await readFile(config, 'utf8')
    await writeFile(config, text.replace('"class_name": "Shelf" }', '"class_name": "Nope" }'))
    const events = new Events()
    const starting = runIn(project.folder, { events })
    starting.catch(() => undefined)
    const failed = await events.next(
      'the failure',
      (e) => e.type === 'worker' && e.worker.state === 'failed' && e.worker,
    )
    assert.match(failed.message, /not exported in your entrypoint file: Nope\.\n.*entrypoint, src\/index\.ts\.$/)
    await writeFile(config, text)
    await using running = await starting
    assert.equal(await running.text('/'), 'hello')
  })
})

describe('a container that does not start', () => {
  let running: Running
  before(async () => {
    running = await run('box')
  })
  after(() => running?.[Symbol.asyncDispose]())

  it('because its entrypoint does not exist, says which, and how it is named', async () => {
    const box = running.box('nothing')
    assert.deepEqual(await box.start({ entrypoint: ['nope', '--port', '1'] }), {
      ended: { message: 'Container failed to start', cause: 'cannot execute "nope": no such file or directory' },
    })
    const end = await box.end()
    assert.deepEqual(end.reason, {
      kind: 'start-failed',
      phase: 'start',
      code: 'executable-not-found',
      message: 'cannot execute "nope": no such file or directory',
    })
    assert.deepEqual(end.advice, ['Check CMD and ENTRYPOINT of the image, and "entrypoint" of start().'])
  })

  it('because it exits at once, says with which code and what it wrote', async () => {
    const box = running.box('brief')
    await box.start({ entrypoint: ['node', 'server.mjs', '--exit', '9'] })
    const { message, lastLog, advice } = await box.end()
    assert.equal(message, 'The root process ended by itself with exit code 9.')
    assert.ok(lastLog.includes('ends with 9'))
    assert.deepEqual(advice, [])
  })

  it('with the port that is asked for is told which ports it listens on', async () => {
    const box = running.box('elsewhere')
    await box.do('begin', { entrypoint: ['node', 'server.mjs', '--port', '9999'] })
    await running.events.next('it to listen', (e) => e.type === 'container-log' && e.text === 'listening on 9999')
    const { now } = running.events
    let advice: string | undefined
    void running.events
      .next('the advice', (e) => e.type === 'advice' && e.object === box.key && e.text, now)
      .then((text) => {
        advice = text
      })
    await until('it was told', async () => {
      await assert.rejects(box.ask(''), /The Container is not listening to port 8080/)
      return advice !== undefined
    })
    assert.match(
      advice ?? '',
      /^Nothing listens on port 8080, \d+ s after the start\. The container listens on port 9999: /,
    )
    await box.do('destroy')
  })
})

describe('an image that cannot be built', () => {
  it('fails starts with its reason, and is built by itself as soon as it can', async () => {
    await using project = await copyFixture('box')
    const dockerfile = join(project.folder, 'container', 'Dockerfile')
    const good = await readFile(dockerfile, 'utf8')
    await writeFile(dockerfile, good.replace('WORKDIR', 'RUN echo not today && exit 4\nWORKDIR'))
    await using running = await runIn(project.folder)
    const box = running.box('a')
    const { ended } = (await box.start()) as { ended: { message: string; cause: string } }
    assert.equal(ended.message, 'Container failed to start')
    assert.match(ended.cause, /Dockerfile|exit 4|non-zero code: 4/)
    const { reason } = await box.end()
    assert.deepEqual(
      { kind: reason.kind, phase: 'phase' in reason && reason.phase, code: 'code' in reason && reason.code },
      { kind: 'start-failed', phase: 'image', code: 'build-failed' },
    )
    const image = running.session.model.classes.find((c) => c.className === 'Box')?.image
    assert.ok(
      image?.state === 'failed' && image.line === 3 && image.lastOutput.includes('not today'),
      JSON.stringify(image),
    )
    // The other class is not concerned.
    assert.deepEqual(await running.box('c', 'Crate').start(), { answers: true })

    const { now } = running.events
    await writeFile(dockerfile, good)
    await running.events.next(
      'the image',
      (e) => e.type === 'image' && e.className === 'Box' && e.image.state === 'ready',
      now,
    )
    assert.deepEqual(await box.start(), { answers: true })
  })
})
