import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it, type TestContext } from 'node:test'
import { Latch } from '../../../runtime/base/latch.ts'
import type { RelayNews } from '../../../runtime/protocol/relay.ts'
import { type RelayThread, startRelay } from '../../../runtime/relay/thread.ts'

/** A thread that speaks the wire: it listens at port 1, dies at `release`, asks at `bind`, and tells news at `evict`. */
const STAND_IN = `
import { parentPort } from 'node:worker_threads'
parentPort.on('message', (m) => {
  if (m.kind === 'answer') parentPort.postMessage({ kind: 'answer', id: 1000, value: m.value })
  if (m.kind !== 'ask') return
  const answer = (value) => parentPort.postMessage({ kind: 'answer', id: m.id, value })
  if (m.name === 'listen') answer({ port: 1 })
  if (m.name === 'release') throw new Error('a defect')
  if (m.name === 'hold') process.exit(3)
  if (m.name === 'evict') {
    parentPort.postMessage({ kind: 'news', value: { news: 'detached', instance: m.args.instance } })
    answer()
  }
})
`

describe('the relay thread', () => {
  let folder = ''
  let file = ''
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'moorage-thread-'))
    file = join(folder, 'relay.mjs')
    await writeFile(file, STAND_IN)
  })
  after(() => rm(folder, { recursive: true, force: true }))

  function start(t: TestContext): { relay: RelayThread; news: RelayNews[]; death: Latch<Error> } {
    const news: RelayNews[] = []
    const death = new Latch<Error>()
    const offered = {} as Parameters<typeof startRelay>[0]['offered']
    const relay = startRelay({
      file,
      offered,
      onNews: (item) => news.push(item),
      onDeath: (error) => death.resolve(error),
    })
    t.after(() => relay.close())
    return { relay, news, death }
  }

  it('answers calls and tells news', async (t) => {
    const { relay, news } = start(t)
    assert.deepEqual(await relay.ask.listen({ token: 't', clientToken: 'c', folder: '' }), { port: 1 })
    await relay.ask.evict({ instance: 'i' })
    assert.deepEqual(news, [{ news: 'detached', instance: 'i' }])
  })

  it('that is closed rejects what waits and what comes, and that is no death', async (t) => {
    const { relay, death } = start(t)
    await relay.ask.listen({ token: 't', clientToken: 'c', folder: '' })
    const waiting = assert.rejects(relay.ask.bind({ object: 'o', container: null }), {
      message: 'The session has ended.',
    })
    await relay.close()
    await waiting
    await assert.rejects(relay.ask.evict({ instance: 'i' }), { message: 'The session has ended.' })
    assert.equal(death.settled, false)
  })

  it('that dies of a defect says which, and rejects what waits with it', async (t) => {
    const { relay, death } = start(t)
    const waiting = assert.rejects(relay.ask.release({ container: 'c' }), { message: 'a defect' })
    assert.equal((await death.promise).message, 'a defect')
    await waiting
  })

  it('that ends without a word has ended', async (t) => {
    const { relay, death } = start(t)
    void relay.ask.hold({ engine: {}, container: 'c' }).catch(() => undefined)
    assert.equal((await death.promise).message, 'The relay has ended.')
  })
})
