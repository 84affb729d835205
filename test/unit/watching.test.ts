import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import type { Happening } from '../../runtime/protocol/events.ts'
import { type ContainerId, objectKey } from '../../runtime/protocol/model.ts'
import type { Look } from '../../runtime/protocol/relay.ts'
import { Watching } from '../../runtime/watching.ts'

const QUIET: Look = { cpu: '', memory: '', memoryStat: '', listening: '', http: [] }

/** A watching over containers by name, on a clock of its own; what it asks and tells, a line each. */
function setUp(t: TestContext, names: string[], look: (name: string) => Partial<Look> = () => ({})) {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'] })
  const log: string[] = []
  const watching = new Watching({
    containers: () => names.map((name) => ({ object: objectKey('Q', name), container: name as ContainerId, since: 0 })),
    look: async ({ container }) => {
      log.push(`${Date.now()} ${container}`)
      return { ...QUIET, ...look(container) }
    },
    report: (happening: Happening) => {
      if (happening.type !== 'watched') return
      const { object, usage, ports } = happening
      const used = usage === undefined ? 'nothing' : `${usage.cpu} ${usage.memoryBytes}`
      log.push(`${object}: ${used}, ${ports?.map(({ port }) => port).join(' ') ?? 'no ports'}`)
    },
  })
  const pass = async (ms: number): Promise<void> => {
    for (let at = 0; at < ms; at += 100) {
      t.mock.timers.tick(100)
      for (let i = 0; i < 10; i++) await Promise.resolve()
    }
  }
  return { watching, log, pass, names }
}

describe('watching', () => {
  it('looks at nothing while nobody watches', async (t) => {
    const { log, pass } = setUp(t, ['a'])
    await pass(5_000)
    assert.deepEqual(log, [])
  })

  it('looks at each every two seconds, one after the other over that time', async (t) => {
    const { watching, log, pass } = setUp(t, ['a', 'b'])
    watching.watch()
    await pass(4_500)
    assert.deepEqual(log, ['100 a', '1100 b', '2100 a', '3100 b', '4100 a'])
  })

  it('is one watching for many watchers, and over when the last has gone', async (t) => {
    const { watching, log, pass } = setUp(t, ['a'])
    const first = watching.watch()
    const second = watching.watch()
    await pass(1_000)
    first()
    first()
    await pass(2_000)
    assert.equal(log.length, 2)
    second()
    await pass(5_000)
    assert.equal(log.length, 2)
    watching.watch()
    await pass(100)
    assert.equal(log.length, 3)
  })

  it('tells shares of a core over the time between, only what changes, and at the end that nothing is known', async (t) => {
    let cpuMs = 0
    const look = (): Partial<Look> => ({
      cpu: `usage_usec ${cpuMs * 1_000}\n`,
      memory: '5000',
      listening: '0: 00:1F90 0 0A',
    })
    const { watching, log, pass } = setUp(t, ['a'], look)
    const over = watching.watch()
    await pass(1_000)
    for (const used of [500, 100, 100]) {
      cpuMs += used
      await pass(2_000)
    }
    over()
    assert.deepEqual(
      log.filter((line) => line.startsWith('Q')),
      ['Q/a: nothing, 8080', 'Q/a: 0.238 5000, 8080', 'Q/a: 0.05 5000, 8080', 'Q/a: nothing, no ports'],
    )
  })

  it('tells nothing of a container that is not there any more', async (t) => {
    const { watching, log, pass, names } = setUp(t, ['a'], () => {
      names.length = 0
      return { memory: '1', cpu: '1', listening: '\n' }
    })
    watching.watch()
    await pass(3_000)
    assert.deepEqual(log, ['100 a'])
  })

  it('keeps what it knows where a frozen container does not answer', async (t) => {
    let answer: Partial<Look> = { cpu: '1000000', memory: '5000', listening: '0: 00:1F90 0 0A' }
    const { watching, log, pass } = setUp(t, ['a'], () => answer)
    watching.watch()
    await pass(3_000)
    const told = log.filter((line) => line.startsWith('Q')).length
    answer = {}
    await pass(6_000)
    assert.equal(log.filter((line) => line.startsWith('Q')).length, told)
  })
})
