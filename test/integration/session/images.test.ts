// Images of a running session: what is built, when, and what a build does to what runs.
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import type { ImageState } from '../../../runtime/index.ts'
import { Events, type Running, run, runIn, until } from '../../support/session.ts'

describe('the image of a class', () => {
  let running: Running
  before(async () => {
    running = await run('box')
  })
  after(() => running?.[Symbol.asyncDispose]())

  /** The next state of a class's image that is of this kind. */
  const image = <S extends ImageState['state']>(state: S, from: number, className = 'Box') =>
    running.events.next(
      `the image of ${className} to be ${state}`,
      (event) =>
        event.type === 'image' &&
        event.className === className &&
        event.image.state === state &&
        (event.image as Extract<ImageState, { state: S }>),
      from,
    )

  it('is built anew when its context changes, and only containers of that class restart', async () => {
    const [box, crate, shelf] = [running.box('a'), running.box('c', 'Crate'), running.box('s', 'Shelf')]
    await Promise.all([box.start(), crate.start()])
    assert.equal((await box.ask('')).version, 'one')
    const { began } = await crate.ask('')
    const instances = await Promise.all([box.do('instance'), crate.do('instance'), shelf.do('instance')])

    const { now } = running.events
    await writeFile(running.file('container', 'version.txt'), 'two\n')
    await image('ready', now)
    const end = await box.end(now)
    assert.deepEqual(end.reason, { kind: 'image-rebuilt' })
    await until('the new version answers', async () => (await box.ask('').catch(() => ({}))).version === 'two')

    assert.equal((await crate.ask('')).began, began)
    const later = await Promise.all([box.do('instance'), crate.do('instance'), shelf.do('instance')])
    assert.deepEqual(
      later.map(({ id }) => id),
      instances.map(({ id }) => id),
    )
    assert.equal(later[0].running, true)
    const restarts = running.events.all.slice(now).filter((event) => event.type === 'worker')
    assert.deepEqual(restarts, [])
  })

  it('stays the old one when a build fails, which says the line and what the build printed last', async () => {
    const box = running.box('a')
    const { began } = await box.ask('')
    const dockerfile = running.file('container', 'Dockerfile')
    const good = await readFile(dockerfile, 'utf8')
    let { now } = running.events
    await writeFile(dockerfile, `${good}RUN echo the build goes wrong here && exit 3\n`)
    const failed = await image('failed', now)
    assert.equal(failed.file, dockerfile)
    assert.equal(failed.line, 6)
    assert.match(failed.message, /exit(ed with)? (code )?3|returned a non-zero code: 3/)
    assert.ok(failed.lastOutput.includes('the build goes wrong here'), failed.lastOutput.join('\n'))
    assert.match(failed.previous ?? '', /^moorage\/box-box:/)
    // What runs goes on, and what starts now starts from the old image.
    assert.equal((await box.ask('')).began, began)
    const late = running.box('late')
    assert.deepEqual(await late.start(), { answers: true })
    assert.equal((await late.ask('')).version, 'two')

    now = running.events.now
    await writeFile(running.file('container', 'version.txt'), 'three\n')
    await writeFile(dockerfile, good)
    await image('ready', now)
    await until('the fixed version answers', async () => (await box.ask('').catch(() => ({}))).version === 'three')
  })

  it('is not built when nothing changed since the last session', async () => {
    await running.session.dispose()
    const events = new Events()
    await using second = await runIn(running.folder, { events })
    await second.box('a').start()
    const states = events.all.flatMap((event) => (event.type === 'image' ? [event.image.state] : []))
    assert.deepEqual(states, ['ready', 'ready'])
    assert.equal((await second.box('a').ask('')).version, 'three')
  })
})
