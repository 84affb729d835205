import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { extract } from 'tar-stream'
import type { Engine } from '../../../runtime/engine/engine.ts'
import { agentFiles, type PrepareOptions, prepareContainer } from '../../../runtime/object/prepared.ts'
import { ContainerWatch } from '../../../runtime/object/watch.ts'
import type { SandboxPool } from '../../../runtime/sandbox/pool.ts'
import { fakeRelay, type RelayAnswers } from './fakes.ts'

/** All that is asked of engine, relay and sandbox, as lines. `failing`: the call that fails. */
function setUp(failing?: string) {
  const log: string[] = []
  const step = (line: string): void => {
    log.push(line)
    if (failing !== undefined && line.startsWith(failing)) throw new Error(failing)
  }
  const answers: RelayAnswers = {}
  for (const name of ['hold', 'claim', 'release', 'internet']) {
    answers[name] = () => {
      if (name === failing) throw new Error(name)
    }
  }
  const exit = new Promise(() => undefined)
  const engine = {
    address: { socketPath: '/engine' },
    createContainer: async () => {
      step('create')
      return 'box'
    },
    putArchive: async (_: string, folder: string) => step(`put ${folder}`),
    wait: async () => {
      step('wait')
      return { exit }
    },
    start: async () => step('start'),
    remove: async () => step('remove'),
  } as unknown as Engine
  const pool = {
    take: async () => {
      step('take')
      return { id: 'sandbox', address: '10.213.0.16', close: async () => step('close sandbox') }
    },
  } as unknown as SandboxPool
  const watch = new ContainerWatch()
  const options: PrepareOptions = {
    engine,
    relay: fakeRelay(log, answers),
    pool,
    gatewayAddress: '10.213.0.2',
    labels: { session: 's', owner: 'o', project: 'p' },
    className: 'Quotes',
    image: 'quotes:1',
    limits: undefined,
    files: Buffer.alloc(0),
    watch: (id) => watch.watch(id),
  }
  return { log, options, watch }
}

const names = (log: readonly string[]): string[] => log.map((line) => line.split(' ')[0] ?? '')
const UNDO = ['internet 10.213.0.16 false', 'release box', 'remove', 'close sandbox']

describe('a container that waits for its command', () => {
  it('is attached, waited for and given its files before it starts, and claimed after', async () => {
    const { log, options } = setUp()
    const prepared = await prepareContainer(options)
    assert.deepEqual([prepared.id, prepared.sandbox.id], ['box', 'sandbox'])
    const order = names(log)
    assert.deepEqual(order.slice(0, 2), ['take', 'create'])
    assert.deepEqual(order.slice(2, 5).sort(), ['hold', 'put', 'wait'])
    assert.deepEqual(order.slice(5), ['start', 'claim'])
  })

  it('is removed once, however often it is closed, and then its sandbox', async () => {
    const { log, options } = setUp()
    const prepared = await prepareContainer(options)
    log.length = 0
    await Promise.all([prepared.close(), prepared.close()])
    assert.deepEqual(log, UNDO)
    await prepared.linkDown
  })

  it('hears that its agent is gone', async () => {
    const { options, watch } = setUp()
    const prepared = await prepareContainer(options)
    watch.linkDown('box')
    await prepared.linkDown
  })

  it('ends its sandbox also where it cannot be removed', async () => {
    const { log, options } = setUp('remove')
    const prepared = await prepareContainer(options)
    await assert.rejects(prepared.close(), { message: 'remove' })
    assert.equal(log.at(-1), 'close sandbox')
  })
})

describe('one that cannot be prepared', () => {
  for (const call of ['put', 'wait', 'hold', 'start', 'claim']) {
    it(`fails in ${call}: nothing of it stays`, async () => {
      const { log, options } = setUp(call)
      await assert.rejects(prepareContainer(options), { message: call })
      assert.deepEqual(log.slice(-4), UNDO)
    })
  }

  it('fails in create: its sandbox is ended', async () => {
    const { log, options } = setUp('create')
    await assert.rejects(prepareContainer(options), { message: 'create' })
    assert.deepEqual(log, ['take', 'create', 'close sandbox'])
  })

  it('fails without a sandbox: nothing was begun', async () => {
    const { log, options } = setUp('take')
    await assert.rejects(prepareContainer(options), { message: 'take' })
    assert.deepEqual(log, ['take'])
  })
})

describe('the files of the agent', () => {
  it('are a folder and the program, for everyone to execute', async () => {
    const entries: [string, number | undefined, string][] = []
    const reading = extract()
    reading.end(await agentFiles(Buffer.from('the program')))
    for await (const entry of reading) {
      let text = ''
      for await (const chunk of entry) text += String(chunk)
      entries.push([entry.header.name, entry.header.mode, text])
    }
    assert.deepEqual(entries.slice(0, 2), [
      ['.moorage', 0o755, ''],
      ['.moorage/agent', 0o755, 'the program'],
    ])
  })
})
