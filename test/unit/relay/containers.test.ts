import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { Engine } from '../../../runtime/engine/engine.ts'
import { AGENT_MAGIC, FromAgent } from '../../../runtime/protocol/agent.ts'
import { encodeFrame, WIRE_VERSION } from '../../../runtime/protocol/frames.ts'
import type { RelayNews } from '../../../runtime/protocol/relay.ts'
import { HeldContainers } from '../../../runtime/relay/containers.ts'
import { closed, socketPair } from '../link/sockets.ts'
import { fakeProgramEngine } from '../sandbox/fakes.ts'

const ADDRESS = { socketPath: '/engine' }
const HELLO = Buffer.from(encodeFrame(FromAgent.HELLO, 0, Uint8Array.of(0)))
const secretOf = (n: number): Uint8Array => new Uint8Array(32).fill(n)
const opening = (secret: Uint8Array, magic = AGENT_MAGIC, version = WIRE_VERSION): Buffer =>
  Buffer.concat([Buffer.from(magic), Buffer.of(version), secret])

/** Containers of an engine that is a fake: `program1`, `program2`, … held as they are created. */
async function setUp(t: TestContext, count = 1) {
  const news: RelayNews[] = []
  const { engine, programs } = fakeProgramEngine([], undefined)
  t.mock.method(Engine, 'connect', async () => engine)
  const containers = new HeldContainers((item) => news.push(item))
  for (let i = 1; i <= count; i++) {
    await engine.createContainer({ Image: 'x' })
    await containers.hold(ADDRESS, `program${i}`)
    t.after(() => containers.release(`program${i}`))
  }
  const arrive = async (...parts: Buffer[]) => {
    const [near, far] = await socketPair(t)
    far.resume()
    containers.admit(near, Buffer.alloc(0))
    for (const part of parts) await new Promise((resolve) => far.write(part, resolve))
    return far
  }
  return { containers, programs, news, arrive }
}

describe('an agent that reports', () => {
  it('is its container’s whose secret it knows', async (t) => {
    const { containers, programs, news, arrive } = await setUp(t, 2)
    const first = containers.claim('program1', secretOf(1), '10.213.0.2')
    const second = containers.claim('program2', secretOf(2), '10.213.0.2')
    await arrive(opening(secretOf(2)), HELLO)
    await second
    await arrive(opening(secretOf(1)), HELLO)
    await first
    assert.deepEqual(news, [
      { news: 'agent', container: 'program2', up: true },
      { news: 'agent', container: 'program1', up: true },
    ])
    assert.equal(Buffer.concat(programs[0]!.stdin).includes(Buffer.from(secretOf(1))), true)
  })

  it('may say so in one piece or byte by byte', async (t) => {
    const { containers, arrive } = await setUp(t)
    const claimed = containers.claim('program1', secretOf(1), '10.213.0.2')
    await arrive(...[...Buffer.concat([opening(secretOf(1)), HELLO])].map((byte) => Buffer.of(byte)))
    await claimed
  })

  const strangers: readonly (readonly [what: string, bytes: Buffer])[] = [
    ['another secret', opening(secretOf(9))],
    ['another magic', opening(secretOf(1), 'XXXX')],
    ['another version', opening(secretOf(1), AGENT_MAGIC, WIRE_VERSION + 1)],
  ]
  for (const [what, bytes] of strangers) {
    it(`is refused with ${what}`, async (t) => {
      const { containers, arrive, news } = await setUp(t)
      const claimed = containers.claim('program1', secretOf(1), '10.213.0.2')
      void claimed.catch(() => undefined)
      const socket = await arrive(bytes)
      socket.on('end', () => socket.end())
      await closed(socket)
      assert.deepEqual(news, [])
    })
  }

  it('is refused before its container was claimed, secret of zeros or not', async (t) => {
    const { arrive } = await setUp(t)
    const socket = await arrive(opening(secretOf(0)))
    socket.on('end', () => socket.end())
    await closed(socket)
  })
})

describe('a container that is held', () => {
  it('tells its lines, whole, by stream, and the rest and its end when it ends', async (t) => {
    const { programs, news } = await setUp(t)
    programs[0]!.say('one\ntw')
    programs[0]!.say('o\nrest')
    programs[0]!.end()
    await new Promise((resolve) => setImmediate(resolve))
    assert.deepEqual(news, [
      { news: 'output', container: 'program1', stream: 'stdout', lines: ['one'] },
      { news: 'output', container: 'program1', stream: 'stdout', lines: ['two'] },
      { news: 'output', container: 'program1', stream: 'stdout', lines: ['rest'] },
      { news: 'released', container: 'program1' },
    ])
  })

  it('fails its claim where it ends before its agent reports', async (t) => {
    const { containers, programs } = await setUp(t)
    const claimed = assert.rejects(containers.claim('program1', secretOf(1), '10.213.0.2'), {
      message: 'The container ended before its agent reported.',
    })
    programs[0]!.end()
    await claimed
  })

  it('fails its claim where its agent does not come', async (t) => {
    const { containers } = await setUp(t)
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const claimed = assert.rejects(containers.claim('program1', secretOf(1), '10.213.0.2'), {
      message: 'The agent in the container did not report.',
    })
    t.mock.timers.tick(10_000)
    await claimed
  })

  it('is let go with its link, and is then not known any more', async (t) => {
    const { containers, arrive } = await setUp(t)
    const claimed = containers.claim('program1', secretOf(1), '10.213.0.2')
    const socket = await arrive(opening(secretOf(1)), HELLO)
    await claimed
    socket.on('end', () => socket.end())
    await containers.release('program1')
    await closed(socket)
    assert.equal(containers.link('program1'), undefined)
    await assert.rejects(containers.claim('program1', secretOf(1), '10.213.0.2'), {
      message: 'The container is not held.',
    })
  })
})
