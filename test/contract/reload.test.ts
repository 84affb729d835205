import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { ContractObject, until } from '../support/contract/object.ts'
import { type Served, serve } from '../support/contract/session.ts'

// Only who has the files can change them.
const skip = process.env.MOORAGE_CONTRACT_URL ? 'another implementation is tested' : false

describe('a code reload', { skip }, () => {
  let served: Served
  let base: Promise<string>
  let reloads = 0
  before(
    async () => {
      served = await serve('worker')
      base = Promise.resolve(served.urls[0]!)
    },
    { timeout: 180_000 },
  )
  after(() => served?.[Symbol.asyncDispose]())

  /** Changes the Worker, and waits until the new code answers. */
  async function reload(): Promise<void> {
    const file = join(served.folders[0]!, 'src', 'index.ts')
    const word = `generation ${++reloads}`
    const text = await readFile(file, 'utf8')
    await writeFile(file, text.replace(/no class(?: of generation \d+)?/, `no class of ${word}`))
    await until('the new code answers', async () => (await (await fetch(`${await base}/x`)).text()).includes(word))
  }

  it('leaves the container as it is, and the new instance finds running true', async () => {
    await using object = new ContractObject('Plain', undefined, base)
    const boot = await object.run('life', 'boot')
    const before = await object.run('life', 'look')
    await reload()
    const after = await object.run('life', 'look')
    assert.notEqual(after.instance, before.instance)
    assert.deepEqual([after.runningInConstructor, after.running], [true, true])
    assert.equal(await object.run('life', 'whichBoot'), boot)
  })

  it('leaves labels in force', async () => {
    await using object = new ContractObject('Plain', undefined, base)
    await object.run('inspect', 'running')
    await reload()
    assert.deepEqual(await object.run('life', 'labels'), { app: 'contract', 'tenant-id': 'Zoë' })
  })

  it('makes an unguarded start() throw', async () => {
    await using object = new ContractObject('Plain', undefined, base)
    await object.run('life', 'boot')
    await reload()
    const { threw } = await object.run('life', 'startOnly')
    assert.equal(threw?.message, 'start() cannot be called on a container that is already running.')
  })

  it('lets monitor() work without a start', async () => {
    await using object = new ContractObject('Plain', undefined, base)
    await object.run('life', 'boot')
    await reload()
    const { runningInConstructor, monitor } = await object.run('monitor', 'adopted')
    assert.equal(runningInConstructor, true)
    assert.equal(monitor.rejected?.exitCode, 6)
  })

  it('leaves a container that is not running as it is', async () => {
    await using object = new ContractObject('Plain', undefined, base)
    await object.run('life', 'boot')
    await object.run('life', 'destroy')
    await reload()
    assert.equal((await object.run('life', 'look')).runningInConstructor, false)
  })

  it('lets the hooks of the Container class go on', async () => {
    await using object = new ContractObject('Hooked', undefined, base)
    const boot = await object.run('hooks', 'boot')
    await reload()
    assert.equal(await object.run('hooks', 'boot'), boot)
    assert.equal(await object.run('hooks', 'end'), 8)
    assert.deepEqual(await object.run('hooks', 'moments'), ['onStart', 'onStop'])
  })
})
