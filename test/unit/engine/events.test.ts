import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { describe, it } from 'node:test'
import { Engine } from '../../../runtime/engine/engine.ts'
import { standIn } from './stand-in.ts'

const event = (action: string, id: string, ms: number) =>
  `${JSON.stringify({ Type: 'container', Action: action, Actor: { ID: id, Attributes: { exitCode: '3' } }, timeNano: ms * 1e6 })}\n`

/** An engine whose event streams a test has in its hands, and what a subscription told. */
async function subscribed() {
  const streams: { url: URL; response: ServerResponse }[] = []
  let wake = () => {}
  const engine = await standIn((request, response) => {
    response.setHeader('Date', new Date(1_000_000).toUTCString())
    response.flushHeaders()
    streams.push({ url: new URL(request.url ?? '', 'http://engine'), response })
    wake()
  })
  const client = await Engine.connect(engine.address)
  const told: string[] = []
  const until = async (count: number, what: () => number) => {
    while (what() < count) {
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  }
  const events = client.events({
    labels: ['moorage.session=s'],
    actions: ['die', 'oom'],
    retryMs: 0,
    onEvent: ({ action, id, attributes }) => {
      told.push(`${action} ${id} ${attributes.exitCode}`)
      wake()
    },
    onConnected: (connected) => {
      told.push(connected ? 'connected' : 'lost')
      wake()
    },
  })
  return {
    streams,
    told,
    events,
    streamCount: (count: number) => until(count, () => streams.length),
    toldCount: (count: number) => until(count, () => told.length),
    [Symbol.asyncDispose]: async () => {
      events.dispose()
      client.close()
      await engine[Symbol.asyncDispose]()
    },
  }
}

describe('events', () => {
  it('are asked for by label and action, and told in their order', async () => {
    await using s = await subscribed()
    await s.events.ready
    assert.deepEqual(JSON.parse(s.streams[0]?.url.searchParams.get('filters') ?? ''), {
      type: ['container'],
      label: ['moorage.session=s'],
      event: ['die', 'oom'],
    })
    assert.equal(s.streams[0]?.url.searchParams.get('since'), null)
    s.streams[0]?.response.write(event('oom', 'a', 2_000_000) + event('die', 'a', 2_000_001))
    await s.toldCount(3)
    assert.deepEqual(s.told, ['connected', 'oom a 3', 'die a 3'])
  })

  it('go on after a break from the last one told, and none is told twice', async () => {
    await using s = await subscribed()
    await s.events.ready
    s.streams[0]?.response.end(event('die', 'a', 2_000_000))
    await s.streamCount(2)
    assert.equal(s.streams[1]?.url.searchParams.get('since'), '2000.000')
    s.streams[1]?.response.write(event('die', 'a', 2_000_000) + event('die', 'b', 2_000_000))
    await s.toldCount(5)
    assert.deepEqual(s.told, ['connected', 'die a 3', 'lost', 'connected', 'die b 3'])
  })

  it("go on from the first connection, by the engine's clock, where none was told", async () => {
    await using s = await subscribed()
    await s.events.ready
    s.streams[0]?.response.destroy()
    await s.streamCount(2)
    assert.equal(s.streams[1]?.url.searchParams.get('since'), '1000.000')
  })

  it('survive what they do not understand', async () => {
    await using s = await subscribed()
    await s.events.ready
    s.streams[0]?.response.write(`{"strange":1}\n${event('die', 'a', 1)}not json\n`)
    await s.streamCount(2)
    assert.deepEqual(s.told.slice(0, 3), ['connected', 'die a 3', 'lost'])
  })

  it('end when disposed, and nothing more is told', async () => {
    await using s = await subscribed()
    await s.events.ready
    const closed = new Promise((resolve) => s.streams[0]?.response.on('close', resolve))
    s.events.dispose()
    await closed
    assert.deepEqual(s.told, ['connected'])
  })
})
