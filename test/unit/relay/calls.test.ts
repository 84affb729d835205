import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, it, type TestContext } from 'node:test'
import { MessageChannel } from 'node:worker_threads'
import { MoorageError } from '../../../runtime/protocol/errors.ts'
import { joinCalls } from '../../../runtime/relay/calls.ts'

interface Kitchen {
  double(args: { n: number }): number
  fail(args: { how: string }): never
  wait(args: Record<string, never>): string
  strange(args: Record<string, never>): unknown
}
interface Guest {
  name(args: { polite: boolean }): string
}

/** Two sides of a message channel, as session and relay are. */
function setUp(t: TestContext) {
  const { port1, port2 } = new MessageChannel()
  t.after(() => port1.close())
  const news: unknown[] = []
  let finish: (text: string) => void = () => undefined
  const kitchen = joinCalls<Guest, Kitchen>(
    port1,
    {
      double: ({ n }) => n * 2,
      fail: ({ how }) => {
        if (how === 'moorage') {
          throw new MoorageError('no-engine', 'No engine.', { advice: ['Install one.'], detail: { tried: 3 } })
        }
        if (how === 'type') throw new TypeError('Wrong type.')
        throw how
      },
      wait: () =>
        new Promise<string>((resolve) => {
          finish = resolve
        }),
      strange: () => () => undefined,
    },
    (value) => news.push(value),
  )
  const guest = joinCalls<Kitchen, Guest>(
    port2,
    { name: async ({ polite }) => (polite ? 'Dr. Guest' : 'Guest') },
    (value) => news.push(value),
  )
  return { kitchen, guest, news, port1, port2, finish: (text: string) => finish(text) }
}

describe('calls over a message port', () => {
  it('are answered, both ways, many at once', async (t) => {
    const { kitchen, guest } = setUp(t)
    const answers = await Promise.all([
      guest.ask.double({ n: 1 }),
      kitchen.ask.name({ polite: true }),
      guest.ask.double({ n: 2 }),
    ])
    assert.deepEqual(answers, [2, 'Dr. Guest', 4])
  })

  it('are answered as each is ready, not in their order', async (t) => {
    const { guest, finish } = setUp(t)
    const slow = guest.ask.wait({})
    assert.equal(await guest.ask.double({ n: 4 }), 8)
    finish('done')
    assert.equal(await slow, 'done')
  })

  it('fail with the error’s name, message, code, advice and detail', async (t) => {
    const { guest } = setUp(t)
    await assert.rejects(guest.ask.fail({ how: 'moorage' }), (error) => {
      assert.ok(error instanceof MoorageError)
      assert.deepEqual(
        [error.code, error.message, error.advice, error.detail],
        ['no-engine', 'No engine.', ['Install one.'], { tried: 3 }],
      )
      return true
    })
    await assert.rejects(guest.ask.fail({ how: 'type' }), { name: 'TypeError', message: 'Wrong type.' })
    await assert.rejects(guest.ask.fail({ how: 'text' }), { name: 'Error', message: 'text' })
  })

  it('fail where the other side offers no such thing', async (t) => {
    const { guest } = setUp(t)
    const ask = guest.ask as unknown as Record<string, (args: unknown) => Promise<unknown>>
    await assert.rejects(ask.cook!({}), { message: 'No such call: cook' })
  })

  it('fail where the answer cannot cross, and nothing else does', async (t) => {
    const { guest } = setUp(t)
    await assert.rejects(guest.ask.strange({}), { name: 'DataCloneError' })
    assert.equal(await guest.ask.double({ n: 1 }), 2)
  })

  it('fail where what is asked cannot cross', async (t) => {
    const { guest } = setUp(t)
    await assert.rejects(guest.ask.double({ n: (() => 1) as unknown as number }), { name: 'DataCloneError' })
    assert.equal(await guest.ask.double({ n: 1 }), 2)
  })
})

describe('news', () => {
  it('are told in order, and expect nothing', async (t) => {
    const { guest, kitchen, news } = setUp(t)
    guest.tell('one')
    guest.tell({ two: 2 })
    await kitchen.ask.name({ polite: false })
    assert.deepEqual(news, ['one', { two: 2 }])
  })
})

describe('fail', () => {
  it('rejects all that waits and all that comes, and ignores answers that are late', async (t) => {
    const { guest, finish, port2 } = setUp(t)
    const waiting = guest.ask.wait({})
    const refused = assert.rejects(waiting, { message: 'The relay has ended.' })
    await guest.ask.double({ n: 1 })
    guest.fail(new Error('The relay has ended.'))
    await refused
    await assert.rejects(guest.ask.double({ n: 1 }), { message: 'The relay has ended.' })
    const late = once(port2, 'message')
    finish('late')
    await late
  })
})
