import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { pack } from 'tar-stream'
import type { CreateOptions } from '../../../runtime/engine/create.ts'
import { findEngine } from '../../../runtime/engine/discover.ts'
import { Engine } from '../../../runtime/engine/engine.ts'
import { problemOf } from '../../../runtime/engine/errors.ts'
import { LABEL, sweep } from '../../../runtime/engine/leftovers.ts'
import type { ContainerId } from '../../../runtime/protocol/model.ts'

const Image = process.env.MOORAGE_TEST_BASE_BUSYBOX ?? 'busybox'
const session = randomUUID()
const Labels = { [LABEL.session]: session }

let engine: Engine
before(async () => {
  engine = await findEngine()
})
after(async () => {
  await sweep(engine, session)
  engine.close()
})

/** Creates a container that runs a line of shell. */
function shell(line: string, options: Partial<CreateOptions> = {}): Promise<ContainerId> {
  const HostConfig = { NetworkMode: 'none', ...options.HostConfig }
  return engine.createContainer({ Image, Cmd: ['/bin/sh', '-c', line], Labels, ...options, HostConfig })
}

/** Attaches before the start, so that nothing is missed. */
async function started(id: ContainerId) {
  const got = { stdout: '', stderr: '' }
  let wake = () => {}
  const wait = await engine.wait(id)
  const attachment = await engine.attach(id, (stream, bytes) => {
    got[stream] += bytes.toString()
    wake()
  })
  await engine.start(id)
  const until = async (text: string) => {
    while (!got.stdout.includes(text)) {
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  }
  return { got, wait, attachment, until }
}

describe('a container', () => {
  it('takes stdin and gives two streams and its exit code', async () => {
    const id = await shell('read line; echo "got $line"; echo "bad $line" >&2; exit 7', {
      OpenStdin: true,
      StdinOnce: true,
    })
    const { got, wait, attachment } = await started(id)
    attachment.stdin.write('a line\n')
    assert.deepEqual(await wait.exit, { exitCode: 7, error: undefined })
    assert.deepEqual(await attachment.closed, {})
    assert.deepEqual(got, { stdout: 'got a line\n', stderr: 'bad a line\n' })
  })

  it('ends its stdin when the attachment ends', async () => {
    const id = await shell('cat; exit 5', { OpenStdin: true, StdinOnce: true })
    const { wait, attachment, until } = await started(id)
    attachment.stdin.write('ready')
    await until('ready')
    attachment.stdin.end()
    assert.equal((await wait.exit).exitCode, 5)
    await attachment.closed
  })

  it('with AutoRemove gives its exit code and is gone', async () => {
    const gone = Promise.withResolvers<void>()
    const events = engine.events({
      labels: [`${LABEL.session}=${session}`, 'auto'],
      actions: ['destroy'],
      onEvent: () => gone.resolve(),
    })
    await events.ready
    const id = await shell('exit 9', { Labels: { ...Labels, auto: '' }, HostConfig: { AutoRemove: true } })
    const { wait } = await started(id)
    assert.equal((await wait.exit).exitCode, 9)
    await gone.promise
    events.dispose()
    assert.equal(await engine.inspect(id), undefined)
  })

  it('is told apart in all its states', async () => {
    const id = await shell('trap "exit 3" USR1; echo up; while :; do read x; done', { OpenStdin: true })
    const state = async () => (await engine.inspect(id))?.status
    assert.equal(await state(), 'created')
    const { wait, until, attachment } = await started(id)
    await until('up')
    assert.equal(await state(), 'running')
    await engine.start(id)
    await engine.pause(id)
    assert.equal(await state(), 'paused')
    await engine.unpause(id)
    await engine.kill(id, 'USR1')
    attachment.stdin.write('\n')
    assert.equal((await wait.exit).exitCode, 3)
    assert.equal(await state(), 'exited')
    await assert.rejects(engine.kill(id), (error) => problemOf(error) === 'not-running')
  })

  it('can be renamed, limited, stopped and removed twice', async () => {
    const id = await shell('sleep 1000')
    const name = `moorage-test-${session.slice(0, 8)}`
    await engine.start(id)
    await engine.rename(id, name)
    await engine.update(id, { Memory: 64 << 20, MemorySwap: 64 << 20 })
    assert.equal((await engine.inspect(name))?.id, id)
    await assert.rejects(shell('true', { name }), (error) => problemOf(error) === 'name-conflict')
    await engine.stop(id, { timeoutSeconds: 0 })
    assert.equal((await engine.inspect(id))?.exitCode, 137)
    await engine.remove(id)
    await engine.remove(id)
    assert.equal(await engine.inspect(id), undefined)
  })

  it('takes files before its start', async () => {
    const id = await shell('cat /etc/moorage/a')
    const tar = pack()
    tar.entry({ name: 'etc/moorage/a', mode: 0o600 }, 'from outside')
    tar.finalize()
    const chunks: Buffer[] = []
    for await (const chunk of tar) chunks.push(chunk as Buffer)
    await engine.putArchive(id, '/', Buffer.concat(chunks))
    const { wait, got, attachment } = await started(id)
    await wait.exit
    await attachment.closed
    assert.equal(got.stdout, 'from outside')
  })

  it('keeps its log, which can be read from the start, from the end and as it grows', async () => {
    const id = await shell('for i in 1 2 3; do echo $i; done; echo e >&2; read x; echo last', { OpenStdin: true })
    const { attachment, until, wait } = await started(id)
    await until('3')
    const text = async (options: Parameters<Engine['logs']>[1]) => {
      let all = ''
      for await (const { stream, bytes } of engine.logs(id, options)) if (stream === 'stdout') all += bytes.toString()
      return all
    }
    const growing = text({ follow: true })
    attachment.stdin.write('\n')
    await wait.exit
    assert.equal(await growing, '1\n2\n3\nlast\n')
    assert.equal(await text({}), '1\n2\n3\nlast\n')
    assert.equal(await text({ tail: 1 }), 'last\n')
  })

  it('that cannot start says why', async () => {
    const nothing = await engine.createContainer({ Image, Cmd: ['/nope'], Labels, HostConfig: { NetworkMode: 'none' } })
    await assert.rejects(engine.start(nothing), { code: 'executable-not-found' })
    await assert.rejects(engine.createContainer({ Image: 'moorage-nope:1', Labels }), { code: 'image-missing' })
    await assert.rejects(
      engine.start('moorage-nope' as ContainerId),
      (error) => problemOf(error) === 'no-such-container',
    )
  })

  it('is waited for only as long as the signal allows', async () => {
    const id = await shell('sleep 1000')
    const abort = new AbortController()
    const { exit } = await engine.wait(id, { signal: abort.signal })
    abort.abort(new Error('enough'))
    await assert.rejects(exit, /enough/)
  })
})

describe('events', () => {
  it('tell the exit code and the want of memory', async () => {
    const told = new Set<string>()
    const both = Promise.withResolvers<void>()
    const events = engine.events({
      labels: [`${LABEL.session}=${session}`, 'greedy'],
      actions: ['die', 'oom'],
      onEvent: ({ action, attributes }) => {
        told.add(`${action} ${attributes.exitCode ?? ''}`.trim())
        if (told.size === 2) both.resolve()
      },
    })
    await events.ready
    // A process that keeps in memory all that it reads; only when told to, as the engine begins to look shortly after the start.
    const Memory = 16 << 20
    const id = await shell('echo up; read x; exec tail /dev/zero', {
      Labels: { ...Labels, greedy: '' },
      OpenStdin: true,
      HostConfig: { Memory, MemorySwap: Memory },
    })
    const { until, attachment } = await started(id)
    await until('up')
    attachment.stdin.write('\n')
    await both.promise
    events.dispose()
    assert.deepEqual([...told].toSorted(), ['die 137', 'oom'])
    assert.equal((await engine.inspect(id))?.outOfMemory, true)
  })
})

describe('a network', () => {
  it('is made with labels, found by them, and not removed while it is used', async () => {
    const name = `moorage-test-${session}`
    const network = await engine.createNetwork(name, { labels: Labels, internal: true })
    assert.deepEqual([network.name, network.internal], [name, true])
    assert.match(network.subnet ?? '', /^\d+\.\d+\.\d+\.\d+\/\d+$/)
    assert.deepEqual(
      (await engine.listNetworks([`${LABEL.session}=${session}`])).map((one) => one.id),
      [network.id],
    )
    const id = await shell('sleep 1000', { HostConfig: { NetworkMode: name } })
    await engine.start(id)
    assert.equal((await engine.inspect(id))?.networks[name]?.id, network.id)
    assert.deepEqual(
      (await engine.inspectNetwork(name))?.containers.map((one) => one.id),
      [id],
    )
    await assert.rejects(engine.removeNetwork(name), (error) => problemOf(error) === 'in-use')
    await engine.remove(id)
    await engine.removeNetwork(name)
    await engine.removeNetwork(name)
    assert.equal(await engine.inspectNetwork(name), undefined)
  })
})

describe('an engine', () => {
  it('is reached again from its address alone, as another thread or process does', async () => {
    await using again = await Engine.connect(JSON.parse(JSON.stringify(engine.address)))
    assert.equal(again.about.version, engine.about.version)
  })

  it('costs little more than its own time for a call', async () => {
    const id = await shell('true')
    const took: number[] = []
    for (let i = 0; i < 100; i++) {
      const began = performance.now()
      await engine.inspect(id)
      took.push(performance.now() - began)
    }
    // A connection for each call, or Nagle's algorithm, would show; the machine's noise does not.
    assert.ok((took.toSorted((a, b) => a - b)[50] as number) < 20, `the median call took ${took[50]} ms`)
  })
})
