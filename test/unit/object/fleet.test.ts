import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Latch } from '../../../runtime/base/latch.ts'
import type { ContainerClass } from '../../../runtime/object/class.ts'
import { Fleet } from '../../../runtime/object/fleet.ts'
import type { MoorageError } from '../../../runtime/protocol/errors.ts'
import type { Happening } from '../../../runtime/protocol/events.ts'
import { type InstanceId, objectKey } from '../../../runtime/protocol/model.ts'
import type { StartOptions } from '../../../runtime/protocol/worker.ts'
import { type FakeContainer, fakeContainer, fakeEngine, fakeRelay, settled, stateLine } from './fakes.ts'

/** A class whose images and containers are there at once. */
function fakeClass(
  className: string,
  log: string[],
  boxes: FakeContainer[],
  more: { max?: number; closing?: Promise<void>; quiet?: boolean } = {},
) {
  return {
    config: { className, images: { worker: { reference: 'worker:1' } } },
    project: 'example',
    maxInstances: more.max ?? 10,
    limits: () => undefined,
    image: async () => ({
      name: 'quotes:1',
      digest: 'd',
      sizeBytes: 1,
      command: { entrypoint: [], cmd: ['app'], env: [], user: '', workingDir: '' },
    }),
    container: async (_: unknown, start: StartOptions) => {
      const box = fakeContainer(`box${boxes.length + 1}`, log, more.closing)
      box.quiet = more.quiet ?? false
      boxes.push(box)
      log.push(`container for ${JSON.stringify(start)}`)
      return box.prepared
    },
    warm: () => log.push(`warm ${className}`),
    close: async () => void log.push(`close ${className}`),
  } as unknown as ContainerClass
}

function setUp(more: { max?: number; closing?: Promise<void>; quiet?: boolean } = {}) {
  const log: string[] = []
  const boxes: FakeContainer[] = []
  const happenings: Happening[] = []
  const remembered: string[] = []
  const fleet = new Fleet({
    engine: fakeEngine([], (id) => boxes[Number(id.slice(3)) - 1]?.exit.resolve({ exitCode: 137, error: undefined })),
    relay: () => fakeRelay([]),
    folder: '/nowhere',
    reloading: () => false,
    remember: (key, { name }) => void remembered.push(`${key} ${name ?? ''}`),
    report: (happening) => {
      happenings.push(happening)
      if (happening.type === 'container') log.push(`${happening.object} ${stateLine(happening.container)}`)
      else
        log.push(
          happening.type === 'object' ? `object ${happening.object.key} ${happening.object.memory}` : happening.type,
        )
    },
  })
  fleet.addClass(fakeClass('Quotes', log, boxes, more))
  const attach = async (id = 'a', name?: string): Promise<string> => {
    const { instance } = await fleet.calls.attach({ className: 'Quotes', id, ...(name === undefined ? {} : { name }) })
    return instance
  }
  const start = async (instance: string, life = 1) =>
    fleet.calls.call({ instance, call: { method: 'start', life, options: {} } })
  return { fleet, log, boxes, happenings, remembered, attach, start }
}

describe('attach', () => {
  it('makes the object when it is first seen, with an instance that nobody can guess', async () => {
    const { fleet, log, attach } = setUp()
    const first = await attach('a', 'anna')
    const second = await attach('a')
    assert.notEqual(first, second)
    assert.match(first, /^[0-9a-f-]{36}$/)
    assert.equal(fleet.objects.size, 1)
    assert.equal([...fleet.objects.values()][0]?.name, 'anna')
    assert.deepEqual(log, ['object Quotes/a in-memory', 'object Quotes/a in-memory'])
  })

  it('tells the key that requests go by, and the images', async () => {
    const { fleet } = setUp()
    const { object, images, running } = await fleet.calls.attach({ className: 'Quotes', id: 'a' })
    assert.deepEqual([object, images, running], ['Quotes/a', ['worker'], false])
  })

  it('is refused for a class without a container', async () => {
    const { fleet } = setUp()
    await assert.rejects(async () => fleet.calls.attach({ className: 'Other', id: 'a' }), {
      code: 'class-not-exported',
      message: 'No class Other has a container.',
    })
  })
})

describe('an instance', () => {
  it('that is not known, or has gone, is told that the connection is lost', async () => {
    const { fleet, attach, start } = setUp()
    const lost = { message: 'Network connection lost.' }
    assert.deepEqual(await start('guess'), { refusal: lost })
    assert.deepEqual(await fleet.calls.end({ instance: 'guess', life: 1 }), { life: 1, failure: lost })
    const instance = await attach()
    fleet.detached(instance)
    assert.deepEqual(await start(instance), { refusal: lost })
  })

  it('starts its object’s container, and the warm one is made up for', async () => {
    const { log, attach, start } = setUp()
    assert.deepEqual(await start(await attach()), { value: null })
    assert.deepEqual(log.slice(-2), ['Quotes/a running box1', 'warm Quotes'])
  })

  it('tells its hooks, and what follows onActivityExpired is sleepAfter’s', async () => {
    const { fleet, attach, start, boxes, happenings, log } = setUp()
    const instance = await attach()
    await start(instance)
    const hook = { note: 'hook', hook: 'onActivityExpired', call: 1 } as const
    fleet.noted(instance, { ...hook, edge: 'begin' })
    await fleet.calls.call({ instance, call: { method: 'signal', signal: 15 } })
    fleet.noted(instance, { ...hook, edge: 'end', tookMs: 3 })
    fleet.noted('guess', { ...hook, edge: 'end' })
    boxes[0]?.exit.resolve({ exitCode: 0, error: undefined })
    await settled()
    assert.deepEqual(
      happenings.filter(({ type }) => type === 'hook'),
      [
        { type: 'hook', object: 'Quotes/a', hook: 'onActivityExpired', edge: 'begin', call: 1 },
        { type: 'hook', object: 'Quotes/a', hook: 'onActivityExpired', edge: 'end', call: 1, tookMs: 3 },
      ],
    )
    assert.match(log.at(-1) ?? '', /close box1|Ended by sleepAfter/)
  })
})

describe('max_instances', () => {
  it('refuses one more than there may be, and lets it in when another has ended', async () => {
    const { attach, start, boxes, fleet } = setUp({ max: 1 })
    const [a, b] = [await attach('a'), await attach('b')]
    await start(a)
    const refused = await start(b)
    assert.ok('refusal' in refused)
    assert.equal(refused.refusal.cause, 'Quotes has 1 containers running, and max_instances is 1.')
    boxes[0]?.exit.resolve({ exitCode: 0, error: undefined })
    await settled()
    assert.deepEqual(await start(b, 2), { value: null })
    assert.equal(fleet.objects.size, 2)
  })
})

describe('output', () => {
  it('is its object’s, and that of a container which no object has is dropped', async () => {
    const { fleet, attach, start, happenings } = setUp({ quiet: true })
    await start(await attach())
    fleet.output('box1', 'stdout', ['one', 'two'])
    fleet.output('box9', 'stderr', ['nobody’s'])
    assert.deepEqual(
      happenings.filter(({ type }) => type === 'container-log'),
      [
        { type: 'container-log', object: 'Quotes/a', life: 1, stream: 'stdout', text: 'one' },
        { type: 'container-log', object: 'Quotes/a', life: 1, stream: 'stdout', text: 'two' },
      ],
    )
    const object = [...fleet.objects.values()][0]!
    assert.deepEqual(
      (await object.log.read()).map(({ text }) => text),
      ['one', 'two'],
    )
  })
})

describe('output that comes late', () => {
  it('is still of the life that wrote it, after the next start too', async () => {
    const { fleet, attach, start, boxes, happenings } = setUp({ quiet: true })
    const instance = await attach()
    await start(instance)
    await fleet.calls.call({ instance, call: { method: 'destroy' } })
    await start(instance, 2)
    fleet.output('box1', 'stderr', ['late'])
    fleet.output('box2', 'stdout', ['new'])
    const logs = happenings.flatMap((h) => (h.type === 'container-log' ? [`${h.life} ${h.text}`] : []))
    assert.deepEqual(logs, ['1 late', '2 new'])

    // Who has said all is forgotten.
    const { length } = happenings
    boxes[0]?.silent.resolve()
    await settled()
    fleet.output('box1', 'stderr', ['more'])
    assert.equal(happenings.length, length)
  })
})

describe('a class', () => {
  it('may not be there twice', () => {
    const { fleet } = setUp()
    assert.throws(() => fleet.addClass(fakeClass('Quotes', [], [])), {
      code: 'config-invalid',
      message: 'Two configs have a class Quotes with a container.',
    })
  })

  it('restarts its running containers, and no others, on a new image', async () => {
    const { fleet, attach, start, log } = setUp()
    const other: FakeContainer[] = []
    fleet.addClass(fakeClass('Quotes2', log, other))
    await start(await attach('a'))
    await attach('idle')
    const { instance } = await fleet.calls.attach({ className: 'Quotes2', id: 'x' })
    await start(instance)
    log.length = 0
    await fleet.restartClass('Quotes', { kind: 'image-rebuilt' })
    assert.deepEqual(
      log.filter((line) => /running|stopped/.test(line)),
      ['Quotes/a stopped: Ended because its image was built anew.', 'Quotes/a running box2'],
    )
    assert.equal(other.length, 1)
  })
})

describe('an object that someone means', () => {
  const ID = 'c0ffee00'.padEnd(64, '1')
  async function some() {
    const all = setUp()
    await all.attach(ID, 'anna')
    await all.attach('c0ffeebb'.padEnd(64, '2'))
    return all.fleet
  }

  it('is found by name, id, or the beginning of an id, with its class or without', async () => {
    const fleet = await some()
    for (const text of ['Quotes/anna', 'anna', ID, `Quotes/${ID}`, 'c0ffee00', 'Quotes/c0ffee00']) {
      assert.equal(fleet.find(text), `Quotes/${ID}`, text)
    }
  })

  it('is asked for where only upper and lower case differ, and running ones are listed first', async () => {
    const { fleet, attach, start } = setUp()
    await attach('a', 'anna')
    await start(await attach('b', 'bob'))
    assert.throws(
      () => fleet.find('quotes/Anna'),
      (error: { message: string; advice: string[] }) => {
        assert.equal(error.message, 'There is no object "quotes/Anna".')
        assert.deepEqual(error.advice, [
          'Did you mean Quotes/anna?',
          'There are: Quotes/bob, Quotes/anna (does not run)',
        ])
        return true
      },
    )
  })

  it('lists twenty, and how many more there are', async () => {
    const { fleet, attach } = setUp()
    for (let i = 0; i < 23; i++) await attach(`${i}`, `o${i}`)
    assert.throws(
      () => fleet.find('x'),
      (error: { advice: string[] }) => /Quotes\/o19 \(does not run\), and 3 more$/.test(error.advice[0] ?? ''),
    )
  })

  it('is not guessed: what there is is listed', async () => {
    const fleet = await some()
    const second = 'c0ffeebb'.padEnd(64, '2')
    assert.throws(
      () => fleet.find('bob'),
      (error: { message: string; advice: string[] }) => {
        assert.equal(error.message, 'There is no object "bob".')
        assert.deepEqual(error.advice, [`There are: Quotes/anna (does not run), Quotes/${second} (does not run)`])
        return true
      },
    )
    assert.throws(() => fleet.find('c0ffee'), { message: `"c0ffee" may be Quotes/anna or Quotes/${second}.` })
    assert.throws(() => fleet.find('c0f'), { message: 'There is no object "c0f".' })
    assert.throws(
      () => setUp().fleet.find('anna'),
      (error: { advice: string[] }) => {
        assert.deepEqual(error.advice, ['No object was seen yet: send the Worker a request first.'])
        return true
      },
    )
  })

  it('is an error where it was never seen', async () => {
    const fleet = await some()
    assert.throws(() => fleet.at('Quotes/x' as never), { message: 'No object Quotes/x was seen in this session.' })
  })
})

describe('close', () => {
  it('ends every life, and waits until the containers are removed', async () => {
    const removing = new Latch()
    const { fleet, attach, start, log, boxes } = setUp({ closing: removing.promise })
    await start(await attach('a'))
    await start(await attach('b'))
    let closed = false
    const closing = fleet.close({ kind: 'session-ended' }).then(() => {
      closed = true
    })
    await settled()
    assert.deepEqual([boxes.map((box) => box.closed), closed], [[1, 1], false])
    removing.resolve()
    await closing
    assert.equal(log.filter((line) => line.endsWith('stopped: Ended with the session.')).length, 2)
  })

  it('says so where a container could not be removed, and goes on', async () => {
    const { fleet, attach, start, happenings } = setUp({ closing: Promise.reject(new Error('disk full')) })
    await start(await attach('a'))
    await fleet.close({ kind: 'session-ended' })
    const advice = happenings.find(({ type }) => type === 'advice')
    assert.deepEqual(advice, { type: 'advice', text: 'A container could not be removed: disk full' })
  })

  it('is safe with an instance that comes or goes meanwhile', async () => {
    const { fleet, attach } = setUp()
    const instance = await attach()
    const closing = fleet.close({ kind: 'session-ended' })
    fleet.detached(instance)
    fleet.detached('guess' as InstanceId)
    await closing
  })
})

describe('an object that is stored', () => {
  const stored = { className: 'Quotes', memory: 'asleep', container: { state: 'none' } } as const
  const anna = { ...stored, key: objectKey('Quotes', 'a1'), id: 'a1', name: 'anna', wokeAt: 5 }

  it('is found and can be acted on, but not started before its Worker has', async () => {
    const { fleet } = setUp()
    fleet.addStored([anna, { ...stored, key: objectKey('Quotes', 'b1'), id: 'b1' }])
    assert.equal(fleet.objects.size, 0)
    assert.equal(fleet.find('anna'), 'Quotes/a1')
    await assert.rejects(fleet.at(anna.key).start(), {
      code: 'start-failed',
      message: /has not started this container/,
    })
    assert.equal(fleet.at(anna.key), fleet.at(anna.key))
    assert.deepEqual([...fleet.objects.keys()], ['Quotes/a1'])
  })

  it('keeps its name when it wakes and the platform does not tell it, and is remembered', async () => {
    const { fleet, happenings, remembered, attach } = setUp()
    fleet.addStored([anna])
    await attach('a1')
    const woke = happenings.at(-1)
    assert.ok(woke?.type === 'object' && woke.object.memory === 'in-memory')
    assert.ok((woke.object.wokeAt ?? 0) > 5)
    assert.equal(woke.object.name, 'anna')
    assert.deepEqual(remembered, ['Quotes/a1 anna'])
  })

  it('is one of a thousand that are not all listed where none is meant', () => {
    const { fleet } = setUp()
    const all = Array.from({ length: 1_000 }, (_, n) => ({ ...stored, key: objectKey('Quotes', `n${n}`), id: `n${n}` }))
    fleet.addStored(all)
    assert.throws(
      () => fleet.find('nobody'),
      (error: MoorageError) => {
        assert.match(
          error.advice[0] ?? '',
          /^There are: Quotes\/n0 \(does not run\), .*, Quotes\/n19 \(does not run\), and 980 more$/,
        )
        return true
      },
    )
  })
})
