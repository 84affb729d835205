// What a person sees of a session without asking its containers, and does beside the Worker.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import { type RawData, WebSocket } from 'ws'
import type { ObjectKey, ObjectModel } from '../../runtime/index.ts'
import { containersOf, docker } from '../support/left.ts'
import { copyFixture, type Running, runIn, until } from '../support/session.ts'

const busybox = process.env.MOORAGE_TEST_BASE_BUSYBOX
const options = busybox === undefined ? {} : { busybox }

let project: Awaited<ReturnType<typeof copyFixture>>
let running: Running
before(async () => {
  project = await copyFixture('watch')
  running = await runIn(project.folder, options)
  await running.text('/Sleeper/alice/hello')
  await running.text('/Plain/paul/start')
})
after(async () => {
  await running?.[Symbol.asyncDispose]()
  await project?.[Symbol.asyncDispose]()
})

function find(className: string, name: string): ObjectModel {
  const found = running.session.model.objects.find((one) => one.className === className && one.name === name)
  assert.ok(found, `No object ${className}/${name} was seen.`)
  return found
}

const key = (className: string, name: string): ObjectKey => find(className, name).key
const told = async (path: string): Promise<string[]> => JSON.parse(await running.text(`${path}/told`))

describe('a container that runs', () => {
  it('says what it was started as, and its class what it may use', () => {
    const { container } = find('Sleeper', 'alice')
    assert.deepEqual(container.state === 'running' && container.root, ['node', 'server.mjs'])
    const { limits } = running.session.model.classes.find(({ className }) => className === 'Sleeper') ?? {}
    assert.ok((limits?.cpus ?? 0) > 0 && (limits?.memoryBytes ?? 0) > 1_000_000_000)
  })

  it('shows what it uses and listens at while someone watches, and not before or after', async () => {
    const alice = key('Sleeper', 'alice')
    const { now } = running.events
    assert.ok(!running.events.all.some(({ type }) => type === 'watched'))
    const over = running.session.watch()
    const ports = await running.events.next(
      'its ports',
      (event) => event.type === 'watched' && event.object === alice && event.ports?.length === 3 && event.ports,
      now,
    )
    assert.deepEqual(ports, [
      { port: 5432, protocol: 'tcp' },
      { port: 8080, protocol: 'http' },
      { port: 9229, protocol: 'inspector' },
    ])
    const burning = running.text('/Sleeper/alice/burn')
    const busy = await running.events.next(
      'a busy container',
      (event) => event.type === 'watched' && event.object === alice && (event.usage?.cpu ?? 0) > 0.05 && event.usage,
      now,
    )
    await burning
    assert.ok(busy.cpu < 2, `${busy.cpu}`)
    assert.ok(busy.memoryBytes > 1_000_000 && busy.memoryBytes < 500_000_000, `${busy.memoryBytes}`)
    assert.deepEqual(find('Sleeper', 'alice').ports, ports)
    over()
    const { usage, ports: gone } = find('Sleeper', 'alice')
    assert.deepEqual([usage, gone], [undefined, undefined])
  })
})

describe('an alarm', () => {
  it('is known as it is set and taken off', async () => {
    const before = Date.now()
    await running.text('/Plain/paul/alarm/60000')
    await until('it is told', () => find('Plain', 'paul').alarm !== undefined)
    const { alarm } = find('Plain', 'paul')
    assert.equal(alarm?.why, 'alarm')
    assert.ok(alarm.at >= before + 60_000 && alarm.at <= Date.now() + 60_000)
    await running.text('/Plain/paul/no-alarm')
    await until('none is told', () => find('Plain', 'paul').alarm === undefined)
  })

  it('is run when a person wants it, and is gone then', async () => {
    const paul = running.session.object(key('Plain', 'paul'))
    await assert.rejects(paul.runAlarm(), { code: 'worker-failed', message: 'The object has no alarm.' })
    await running.text('/Plain/paul/alarm/60000')
    await paul.runAlarm()
    assert.deepEqual(await told('/Plain/paul'), ['alarm'])
    await until('none is told', () => find('Plain', 'paul').alarm === undefined)
  })

  it('that fails says why, and stays', async () => {
    const paul = running.session.object(key('Plain', 'paul'))
    await running.text('/Plain/paul/alarm/60000')
    await running.text('/Plain/paul/fail')
    await assert.rejects(paul.runAlarm(), { code: 'worker-failed', message: 'not this time' })
    await until('it is told again', () => find('Plain', 'paul').alarm !== undefined)
    await running.text('/Plain/paul/no-alarm')
  })

  it('of a Container is when it sleeps, renewed by what it is asked', async () => {
    const alarm = () => find('Sleeper', 'alice').alarm
    await running.text('/Sleeper/alice/hello')
    await until('it is told', () => alarm()?.why === 'sleepAfter' && alarm()!.at > Date.now() + 595_000)
    const { at } = alarm()!
    await until('time has passed', () => Date.now() + 600_000 > at + 1_500)
    await running.text('/Sleeper/alice/hello')
    await until('it has moved', () => alarm()!.at > at)
  })

  it('of a Container is what it has scheduled, which a person can have at once', async () => {
    await running.text('/Sleeper/alice/remind/300')
    await until('it is told', () => find('Sleeper', 'alice').alarm?.why === 'schedule')
    await running.session.object(key('Sleeper', 'alice')).runAlarm()
    await until('it has run', async () => (await told('/Sleeper/alice')).includes('reminded'))
    await until('sleep is next', () => find('Sleeper', 'alice').alarm?.why === 'sleepAfter')
  })
})

describe('a file', () => {
  const read = async (path: string): Promise<string> =>
    Buffer.from(await running.session.object(key('Sleeper', 'alice')).readFile(path)).toString()

  it('of a container that runs is read as it is there now, by way of links too', async () => {
    assert.match(await read('/srv/server.mjs'), /An app that listens/)
    assert.match(await read('/link'), /An app that listens/)
    const { container } = find('Sleeper', 'alice')
    assert.ok(container.state === 'running')
    await docker([
      'exec',
      container.containerId,
      'sh',
      '-c',
      'echo changed > /srv/new; ln -s ../../../etc/passwd /srv/up',
    ])
    assert.equal(await read('/srv/new'), 'changed\n')
    assert.match(await read('/srv/up'), /^root:/)
  })

  it('is refused in words where it is none', async () => {
    await assert.rejects(read('/srv'), { code: 'no-file', message: '/srv is a folder.' })
    await assert.rejects(read('/srv/none'), { code: 'no-file', message: 'There is no /srv/none.' })
    await assert.rejects(read('/dev/null'), { code: 'no-file' })
    await assert.rejects(read('/loop'), { code: 'no-file' })
    await assert.rejects(read('srv/server.mjs'), { code: 'no-file' })
    await assert.rejects(read('/../../../../proc/1/environ\0'), { code: 'no-file' })
  })

  it('of one that does not run is read out of its image', async () => {
    await running.text('/Plain/petra/told')
    const file = await running.session.object(key('Plain', 'petra')).readFile('/srv/server.mjs')
    assert.match(Buffer.from(file).toString(), /An app that listens/)
  })
})

describe('a forwarded port', () => {
  it('is open to who has the secret, and to nobody else', async () => {
    const forward = await running.session.object(key('Sleeper', 'alice')).forward(8080)
    const url = new URL(forward.url)
    assert.equal((await fetch(url.origin)).status, 403)
    const entered = await fetch(url, { redirect: 'manual' })
    assert.deepEqual([entered.status, entered.headers.get('location')], [302, '/'])
    const cookie = entered.headers.get('set-cookie')?.split(';')[0] ?? ''
    const answer = await fetch(`${url.origin}/x?y`, { method: 'POST', headers: { cookie }, body: 'z' })
    assert.equal(await answer.text(), 'POST /x?y no cookie')
    const socket = new WebSocket(`ws://${url.host}/`, { headers: { cookie } })
    await once(socket, 'open')
    socket.send('ahoy')
    assert.equal(String(((await once(socket, 'message')) as [RawData])[0]), 'ahoy')
    socket.close()
    await once(socket, 'close')
    const [refused] = (await once(new WebSocket(`ws://${url.host}/`), 'error')) as [Error]
    assert.match(refused.message, /403/)
    await forward.close()
    await assert.rejects(fetch(url))
  })

  it('that nobody listens at says so', async () => {
    const forward = await running.session.object(key('Sleeper', 'alice')).forward(1)
    const cookie = (await fetch(forward.url, { redirect: 'manual' })).headers.get('set-cookie')?.split(';')[0] ?? ''
    const answer = await fetch(new URL('/', forward.url), { headers: { cookie } })
    assert.deepEqual([answer.status, await answer.text()], [502, 'Nothing listens on port 1 of the container.\n'])
    await forward.close()
  })
})

describe('a shell in an image', () => {
  const shell = async (className: string, line: string) => {
    const heard: string[] = []
    const notes: string[] = []
    const process = await running.session.execInImage(className, {
      argv: [],
      onOutput: (_, bytes) => void heard.push(Buffer.from(bytes).toString()),
      onNote: (text) => notes.push(text),
    })
    await process.write(Buffer.from(`${line}\n`))
    await process.end()
    const { exitCode } = await process.ended
    return { exitCode, output: heard.join(''), notes }
  }

  it('is in a fresh container, which goes when it ends, with no app and no way out', async () => {
    const before = (await containersOf(running.session.id, 'app')).length
    const { exitCode, output, notes } = await shell('Plain', 'pwd; ls; ls /proc | grep -c node; exit 7')
    assert.deepEqual({ exitCode, output, notes }, { exitCode: 7, output: '/srv\nserver.mjs\n0\n', notes: [] })
    await until('its container is gone', async () => {
      const { length } = await containersOf(running.session.id, 'app')
      return length <= before
    })
    assert.ok(!running.session.model.processes.some(({ command }) => command[0] === 'sh'))
  })

  it('is there where the app does not start and the image has no shell', async () => {
    await running.text('/Broken/bob/start')
    const end = await running.events.next(
      'the failed start',
      (event) => event.type === 'container' && event.object === key('Broken', 'bob') && 'end' in event.container,
    )
    assert.ok(end)
    const { output, notes } = await shell('Broken', 'read line < /readme; echo "$line"')
    assert.match(output, /^\/\/ An app that listens/)
    assert.match(notes.join(), /no shell/)
  })

  it('is refused in words for a class that has none', async () => {
    await assert.rejects(shell('Room', ''), { code: 'class-not-exported' })
  })
})

describe('a reload', () => {
  it('makes new instances, and leaves containers running', async () => {
    await running.text('/Sleeper/alice/hello')
    const { container } = find('Sleeper', 'alice')
    await running.session.reload()
    assert.deepEqual(await told('/Sleeper/alice'), [])
    const now = find('Sleeper', 'alice').container
    assert.equal(
      now.state === 'running' && now.containerId,
      container.state === 'running' ? container.containerId : undefined,
    )
  })

  it('says what is wrong with the Worker', async () => {
    await writeFile(running.file('src', 'index.ts'), 'export const = 1')
    await running.events.next(
      'the failed build',
      (event) => event.type === 'worker' && event.worker.state === 'failed' && event.worker.serving,
    )
    await assert.rejects(running.session.reload(), { code: 'worker-failed' })
    const source = new URL('../fixtures/projects/watch/src/index.ts', import.meta.url)
    const { now } = running.events
    await writeFile(running.file('src', 'index.ts'), await readFile(source))
    await running.events.next('the good one', (event) => event.type === 'worker' && event.worker.state === 'ready', now)
  })
})

describe('expire', () => {
  it('runs onActivityExpired, and the container ends as idle', async () => {
    await running.text('/Sleeper/alice/hello')
    const { now } = running.events
    const alice = key('Sleeper', 'alice')
    await running.session.object(alice).expire()
    const reason = await running.events.next(
      'its end',
      (event) =>
        event.type === 'container' && event.object === alice && 'end' in event.container && event.container.end,
      now,
    )
    assert.equal(reason.reason.kind, 'idle')
    assert.equal(find('Sleeper', 'alice').alarm?.why === 'sleepAfter', false)
    const paul = running.session.object(key('Plain', 'paul'))
    await told('/Plain/paul')
    await assert.rejects(paul.expire(), { message: 'The class has no onActivityExpired().' })
  })
})

describe('the next session', () => {
  it('knows the objects that are stored, with their names, and counts those without a container', async () => {
    await running.text('/Room/lobby/')
    await running.session.dispose()
    running = await runIn(project.folder, options)
    const { objects } = running.session.model
    const known = objects.map(({ className, name }) => `${className}/${name}`).sort()
    assert.deepEqual(known, ['Broken/bob', 'Plain/paul', 'Plain/petra', 'Sleeper/alice'])
    // A Container wakes by its alarm, sooner or later.
    assert.ok(objects.every(({ className, memory }) => memory === 'asleep' || className === 'Sleeper'))
    assert.ok(find('Plain', 'paul').wokeAt! < Date.now())
    await until('classes are counted', () => running.session.model.plainClasses.length > 0)
    assert.deepEqual(running.session.model.plainClasses, [{ className: 'Room', project: 'watch', objects: 1 }])
    const paul = running.session.object(key('Plain', 'paul'))
    await assert.rejects(paul.start(), { code: 'start-failed', message: /has not started this container/ })
    await assert.rejects(paul.expire(), { code: 'object-asleep' })
    assert.match(Buffer.from(await paul.readFile('/link')).toString(), /An app that listens/)
    await told('/Plain/paul')
    assert.equal(find('Plain', 'paul').memory, 'in-memory')
  })
})
