// Workers as projects have them: the kinds of config, and how their classes come to their containers.
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { copyFixture, run, runIn, until } from '../../support/session.ts'

describe('a project with wrangler.json', () => {
  it('has its class under the exported name, its handlers under the class’s own, and foreign bindings left alone', async () => {
    await using running = await run('renamed')
    assert.deepEqual(JSON.parse(await running.text('/names')), {
      name: 'Inner',
      hosts: ['api.example.com'],
      usingInterception: true,
    })
    assert.deepEqual(
      running.session.model.classes.map(({ className, project, maxInstances, instanceType }) => ({
        className,
        project,
        maxInstances,
        instanceType,
      })),
      [{ className: 'Renamed', project: 'renamed', maxInstances: 3, instanceType: 'lite' }],
    )
    assert.equal(await running.text('/stage'), 'none')
  })

  it('runs a section of env', async () => {
    await using running = await run('renamed', { env: 'staging' }, (folder) =>
      writeFile(join(folder, 'src', 'index.ts'), `export { default, Quiet as Renamed } from './inner.ts'\n`),
    )
    assert.equal(await running.text('/stage'), 'staging')
    assert.equal(await running.text('/'), 'staging')
    assert.deepEqual(
      running.session.model.classes.map(({ maxInstances }) => maxInstances),
      [2],
    )
  })
})

describe('a project with wrangler.toml', () => {
  it('links a class with its container in exports', async () => {
    await using running = await run('toml')
    assert.deepEqual(
      running.session.model.classes.map(({ className, instanceType }) => ({ className, instanceType })),
      [{ className: 'Linked', instanceType: 'basic' }],
    )
    assert.equal(await running.text('/'), 'plain')
  })
})

describe('several configs in one session', () => {
  it('find each other: service and Durable Object bindings between them, one of them without a default export', async () => {
    await using project = await copyFixture('pair')
    const config = ['front', 'back'].map((name) => join(project.folder, name, 'wrangler.jsonc'))
    await using running = await runIn(project.folder, { config })
    assert.equal(running.session.urls.length, 2)
    assert.equal(await running.text('/'), 'front: plain')
    await until('the service answers', async () => (await running.fetch('/service')).ok)
    assert.equal(await running.text('/service'), 'the service')
    assert.equal(await running.text('/behind'), 'behind: plain')
    assert.deepEqual(
      running.session.model.objects.map(({ className, container }) => `${className} ${container.state}`).sort(),
      ['Behind running', 'Front running'],
    )
  })
})

describe('a hot reload', () => {
  it('serves the new code, keeps containers and storage, and the new instance finds `running` true', async () => {
    await using running = await run('box')
    const [box, shelf] = [running.box('a'), running.box('s', 'Shelf')]
    await box.start()
    await Promise.all([box.do('put/kept'), shelf.do('put/too')])
    const { began } = await box.ask('')
    const { id } = await box.do('instance')
    await writeFile(running.file('src', 'greeting.ts'), `export const greeting = 'changed'\n`)
    await until('the new code answers', async () => (await running.text('/')) === 'changed')
    const instance = await box.do('instance')
    assert.notEqual(instance.id, id)
    assert.deepEqual(
      { ranAtFirst: instance.ranAtFirst, running: instance.running },
      { ranAtFirst: true, running: true },
    )
    assert.equal((await box.ask('')).began, began)
    assert.deepEqual([await box.do('value'), await shelf.do('value')], ['kept', 'too'])
    // A class without a container has none.
    assert.equal((await shelf.do('instance')).running, null)
    // A later monitor() hears of the end as well.
    const ended = box.do('end')
    await box.do('destroy')
    assert.equal((await ended).ended.exitCode, 137)
  })
})
