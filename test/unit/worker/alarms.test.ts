import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Alarms } from '../../../runtime/worker/alarms.ts'

/** Storage as far as alarms go; methods insist on their this, as the platform's do. */
class Storage {
  at: number | null = null
  /** When what is scheduled is due, in seconds. */
  times: number[] = []
  #own = true

  async setAlarm(at: number | Date): Promise<void> {
    if (Number(at) === 0) throw new Error('no')
    this.at = this.#own ? Number(at) : null
  }

  async deleteAlarm(): Promise<void> {
    this.at = this.#own ? null : null
  }

  async getAlarm(): Promise<number | null> {
    return this.#own ? this.at : null
  }

  sql = {
    exec: (query: string) => {
      if (query.startsWith('UPDATE')) this.times = [1, ...this.times.slice(1)]
      return { toArray: () => [{ time: this.times.length === 0 ? null : Math.min(...this.times) }] }
    },
  }
}

function setUp() {
  const storage = new Storage()
  const container = { running: false }
  const clock = { now: 0 }
  const told: string[] = []
  const alarms = new Alarms(
    { storage, container } as unknown as ConstructorParameters<typeof Alarms>[0],
    (note) => note.note === 'alarm' && told.push(note.at === undefined ? 'none' : `${note.at} ${note.why}`),
    () => clock.now,
  )
  return { storage, container, clock, told, alarms }
}

/** What a Container is taken for. */
class Sleeper {
  sleepAfterMs = 0
  woken = 0
  async scheduleNextAlarm(): Promise<void> {
    this.woken += 1
  }
  onActivityExpired(): void {}
}

describe('the alarm of an object', () => {
  it('is told as it is set, moved and taken off, and as it was before', async () => {
    const { storage, told, alarms } = setUp()
    storage.at = 5_000
    await alarms.begin({})
    await storage.setAlarm(90_000)
    await storage.setAlarm(new Date(20_000))
    await storage.deleteAlarm()
    await Promise.resolve()
    assert.deepEqual(told, ['5000 alarm', '90000 alarm', '20000 alarm', 'none'])
  })

  it('is gone when it runs', async () => {
    const { storage, told, alarms } = setUp()
    await alarms.begin({})
    await storage.setAlarm(5_000)
    alarms.runs()
    await Promise.resolve()
    assert.deepEqual(told, ['5000 alarm', 'none'])
  })

  it('leaves the storage’s methods as they were to the eye', () => {
    const { storage } = setUp()
    assert.deepEqual([storage.setAlarm.name, storage.setAlarm.length], ['setAlarm', 1])
    assert.ok(!Object.keys(storage).includes('setAlarm'))
  })
})

describe('the alarm of a Container', () => {
  it('is when it goes to sleep, moved by what it is asked', async () => {
    const { container, clock, told, alarms } = setUp()
    const sleeper = new Sleeper()
    await alarms.begin(sleeper)
    container.running = true
    sleeper.sleepAfterMs = 4_000
    alarms.changed()
    for (const at of [4_100, 4_900, 5_100, 5_200]) {
      clock.now = at
      sleeper.sleepAfterMs = at
      alarms.changed()
    }
    container.running = false
    alarms.changed()
    assert.deepEqual(
      told.filter((line) => line !== 'none'),
      ['4000 sleepAfter', '5100 sleepAfter'],
    )
    assert.equal(told.at(-1), 'none')
  })

  it('is what is scheduled, where that comes first', async () => {
    const { storage, container, told, alarms } = setUp()
    const sleeper = new Sleeper()
    container.running = true
    sleeper.sleepAfterMs = 60_000
    await alarms.begin(sleeper)
    storage.times = [30]
    await storage.setAlarm(1_000)
    await Promise.resolve()
    assert.deepEqual(told, ['60000 sleepAfter', '30000 schedule'])
  })
})

describe('to run the alarm', () => {
  it('takes it off and calls alarm() once', async () => {
    const { storage, alarms } = setUp()
    storage.at = 5_000
    await alarms.begin({})
    const seen: unknown[] = []
    await alarms.run((info) => seen.push(storage.at, info))
    assert.deepEqual(seen, [null, { isRetry: false, retryCount: 0, scheduledTime: 5_000 }])
    await assert.rejects(
      alarms.run(() => undefined),
      { message: 'The object has no alarm.' },
    )
  })

  it('leaves it there where alarm() throws', async () => {
    const { storage, alarms } = setUp()
    storage.at = 5_000
    await alarms.begin({})
    await assert.rejects(
      alarms.run(() => Promise.reject(new Error('not now'))),
      { message: 'not now' },
    )
    assert.equal(storage.at, 5_000)
  })

  it('of a Container makes what is scheduled next due, and wakes its loop', async () => {
    const { storage, alarms } = setUp()
    const sleeper = new Sleeper()
    await alarms.begin(sleeper)
    await assert.rejects(
      alarms.run(() => undefined),
      { message: 'The object has no alarm.' },
    )
    storage.times = [700, 900]
    await alarms.run(() => assert.fail())
    assert.deepEqual([storage.times, sleeper.woken], [[1, 900], 1])
  })
})
