import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { describe, it, type TestContext } from 'node:test'
import type { WebSocket } from 'ws'
import { Latch } from '../../../runtime/base/latch.ts'
import type { AgentLink } from '../../../runtime/link/agent.ts'
import { InstanceRoute, ObjectRoute } from '../../../runtime/link/instances.ts'
import { settled } from '../object/fakes.ts'

const LINK = {} as AgentLink

describe('the order of what an instance asks', () => {
  function setUp() {
    const closed: string[] = []
    const socket = { close: (code: number) => closed.push(`socket ${code}`) } as unknown as WebSocket
    const route = new InstanceRoute('i', new ObjectRoute('Quotes/a', () => undefined), socket)
    const order: string[] = []
    /** A call that arrives now. */
    const call = async (seq: number): Promise<void> => {
      await route.turn(seq)
      order.push(`call ${seq}`)
      route.taken(seq)
    }
    /** A port request that arrives now. */
    const request = async (seq: number): Promise<void> => {
      await route.after(seq)
      order.push(`request after ${seq}`)
    }
    return { route, order, call, request, closed }
  }

  it('is that of the numbers, however they arrive', async () => {
    const { order, call } = setUp()
    await Promise.all([call(3), call(1), call(4), call(2)])
    assert.deepEqual(order, ['call 1', 'call 2', 'call 3', 'call 4'])
  })

  it('is kept by a call that comes twice, which is taken up once', async () => {
    const { route, order, call } = setUp()
    const take = async () => order.push('call 2')
    assert.equal(route.knows(2), false)
    const both = [route.once(2, take), route.once(2, take), call(3)]
    assert.equal(route.knows(2), true)
    await call(1)
    await Promise.all(both)
    route.answered(2)
    assert.deepEqual(order, ['call 1', 'call 2', 'call 3'])
    assert.equal(route.knows(2), true)
  })

  it('lets a request wait for the last call before it, and several at once', async () => {
    const { order, call, request } = setUp()
    const waiting = [request(1), request(0), request(1), call(2)]
    await settled()
    assert.deepEqual(order, ['request after 0'])
    await call(1)
    await Promise.all(waiting)
    assert.deepEqual(order, ['request after 0', 'call 1', 'request after 1', 'request after 1', 'call 2'])
  })

  it('is not held up for ever by a call that never arrives', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const { order, call, request } = setUp()
    const waiting = [call(5), call(4), request(5), call(3), call(2)]
    await settled()
    assert.equal(order.length, 0)
    t.mock.timers.tick(5_000)
    await Promise.all(waiting)
    assert.deepEqual(
      order.filter((line) => line.startsWith('call')),
      ['call 2', 'call 3', 'call 4', 'call 5'],
    )
    assert.equal(order.at(-1), 'request after 5')
  })

  it('ends with the instance: its long polls are answered, its socket is closed, and nothing waits any more', async () => {
    const { route, closed, call, order } = setUp()
    const waiting = call(7)
    const poll = (headersSent: boolean): ServerResponse =>
      ({
        headersSent,
        writeHead: (status: number) => ({ end: () => closed.push(`poll ${status}`) }),
      }) as unknown as ServerResponse
    route.polls.add(poll(false))
    route.polls.add(poll(true))
    route.close()
    assert.deepEqual(closed, ['poll 410', 'socket 1000'])
    await waiting
    assert.deepEqual(order, ['call 7'])
  })
})

describe('the route of an object', () => {
  it('runs while a container is bound or a start is under way', () => {
    const route = new ObjectRoute('Quotes/a', () => undefined)
    assert.equal(route.running, false)
    const starting = Promise.resolve()
    route.starting.add(starting)
    assert.equal(route.running, true)
    route.starting.delete(starting)
    route.bind(LINK)
    assert.equal(route.running, true)
    route.bind(undefined)
    assert.equal(route.running, false)
  })

  it('lets requests wait for starts under way, and then leads to what they bound', async () => {
    const route = new ObjectRoute('Quotes/a', () => undefined)
    assert.equal(await route.client(), undefined)
    const start = new Latch()
    route.starting.add(start.promise)
    void start.promise.then(() => route.starting.delete(start.promise))
    const client = route.client()
    await settled()
    route.bind(LINK)
    start.resolve()
    assert.notEqual(await client, undefined)
  })

  it('lets requests go on to nowhere where a start fails', async () => {
    const route = new ObjectRoute('Quotes/a', () => undefined)
    const start = new Latch()
    route.starting.add(start.promise)
    void start.promise.catch(() => route.starting.delete(start.promise))
    const client = route.client()
    start.reject(new Error('no'))
    assert.equal(await client, undefined)
  })
})

describe('open connections', () => {
  function setUp(t: TestContext) {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const told: number[] = []
    const route = new ObjectRoute('Quotes/a', (open) => told.push(open))
    return { route, told, tick: () => t.mock.timers.tick(1_000) }
  }

  it('are told when there are some, and when there are none', (t) => {
    const { route, told, tick } = setUp(t)
    const first = route.opened()
    const second = route.opened()
    tick()
    first()
    first()
    tick()
    assert.deepEqual(told, [1])
    second()
    tick()
    assert.deepEqual(told, [1, 0])
  })

  it('are not told where they lasted no moment', (t) => {
    const { route, told, tick } = setUp(t)
    for (let i = 0; i < 1_000; i++) route.opened()()
    tick()
    assert.deepEqual(told, [])
  })
})

describe('refused requests', () => {
  it('are told at most once a second', () => {
    const route = new ObjectRoute('Quotes/a', () => undefined)
    assert.deepEqual(
      [5_000, 5_400, 5_999, 6_000, 6_500, 9_000].map((now) => route.mayTellRefusal(now)),
      [true, false, false, true, false, true],
    )
  })
})
