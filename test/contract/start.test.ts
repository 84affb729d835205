import assert from 'node:assert/strict'
import { it } from 'node:test'
import { about } from '../support/contract/object.ts'

/** Options that start() refuses: what is wrong with them, the error's name, and what its message says. */
const REFUSED: readonly [what: string, options: unknown, name: string, message?: RegExp][] = [
  ['an environment name that is empty', { env: { '': 'x' } }, 'Error'],
  ['an environment name with =', { env: { 'A=B': 'x' } }, 'Error'],
  ['an environment name with NUL', { env: { 'A\0B': 'x' } }, 'Error'],
  ['an environment value with NUL', { env: { A: 'x\0y' } }, 'Error'],
  ['more than ten labels', { labels: Object.fromEntries(Array.from('abcdefghijk', (c) => [c, 'x'])) }, 'Error'],
  ['a label name that is empty', { labels: { ok: 'x', '': 'x' } }, 'Error', /cannot be empty/],
  ['a label name of more than 16 bytes', { labels: { [`${'n'.repeat(15)}é`]: 'x' } }, 'Error', /\(index 0\)/],
  ['a label value of more than 64 bytes', { labels: { ok: 'x', a: `${'v'.repeat(63)}é` } }, 'Error', /\(index 1\)/],
  ['a label name with a control character', { labels: { 'a\tb': 'x' } }, 'Error', /\(index 0\)/],
  ['a label value with a control character', { labels: { a: 'x\ny' } }, 'Error', /\(index 0\)/],
  ['an image that is empty', { image: '' }, 'TypeError'],
  ['an image of more than 4096 bytes', { image: 'a'.repeat(4097) }, 'TypeError'],
  ['an image with a space', { image: 'an image' }, 'TypeError'],
  ['an image that is not ASCII', { image: 'bäse' }, 'TypeError'],
  ['an image together with a container snapshot', { image: 'a', containerSnapshot: { id: 'b' } }, 'TypeError'],
  [
    'a snapshot restored to the root directory',
    { directorySnapshots: [{ snapshot: { id: 'a', size: 1, dir: '/data' }, mountPoint: '/' }] },
    'Error',
  ],
  ['a restore path that is relative', { directorySnapshots: [{ mountPoint: 'data' }] }, 'TypeError'],
  ['a restore path with odd components', { directorySnapshots: [{ mountPoint: '/../etc' }] }, 'TypeError'],
  ['a missing mount point', { directorySnapshots: [{}] }, 'Error'],
  ['an instance name that is unknown', { instance: 'enormous' }, 'TypeError'],
  ['resources that are not positive', { instance: { vcpu: 0, memoryMib: 256, diskMb: 2000 } }, 'RangeError'],
  ['memory that is negative', { instance: { vcpu: 1, memoryMib: -1, diskMb: 2000 } }, 'RangeError'],
  ['memory that is no integer', { instance: { vcpu: 1, memoryMib: 1.5, diskMb: 2000 } }, 'RangeError'],
  ['memory beyond 2^53-1', { instance: { vcpu: 1, memoryMib: 2 ** 53, diskMb: 2000 } }, 'RangeError'],
  ['a disk that is no integer', { instance: { vcpu: 1, memoryMib: 256, diskMb: 0.5 } }, 'RangeError'],
  ['an entrypoint that is no array', { entrypoint: 5 }, 'TypeError', /'entrypoint' field on 'StartupOptions'/],
  ['an environment that is no object', { env: 'A=B' }, 'TypeError', /'env' field on 'StartupOptions'/],
  ['labels that are no object', { labels: 7 }, 'TypeError', /'labels' field on 'StartupOptions'/],
]

about('start', 'start', (ask) => {
  it('returns nothing', async () => {
    assert.deepEqual(await ask('returnsNothing'), { resolved: 'undefined' })
  })

  it('does not wait: it returns no promise, and running is true', async () => {
    assert.deepEqual(await ask('doesNotWait'), { promise: false, running: true })
  })

  it('throws an Error on a container that is running', async () => {
    assert.deepEqual(await ask('twice'), {
      second: { threw: { name: 'Error', message: 'start() cannot be called on a container that is already running.' } },
      running: true,
    })
  })

  it('changes nothing when it throws because the container is running', async () => {
    assert.deepEqual(await ask('twiceChangesNothing'), { same: true, which: 'first' })
  })

  for (const [what, options, name, message] of REFUSED) {
    it(`throws a${name === 'TypeError' || name === 'RangeError' ? ` ${name}` : 'n Error'} at once for ${what}, and changes nothing`, async () => {
      const { threw, running } = await ask('refuses', { options: JSON.stringify(options) })
      assert.equal(threw?.name, name)
      if (message) assert.match(threw.message, message)
      assert.equal(running, false)
    })
  }

  it('can be called after it refused its options', async () => {
    assert.equal(await ask('afterARefusal'), 'yes')
  })

  it('rejects monitor() where there is no such executable, with the cause', async () => {
    const told = await ask('noSuchExecutable')
    assert.equal(told.running, true)
    assert.equal(told.monitor.rejected?.message, 'Container failed to start')
    assert.match(told.monitor.rejected.cause, /\/no\/such\/executable/)
    assert.equal(told.after, false)
  })

  it('rejects monitor() where there is no such image, with the cause', async () => {
    const told = await ask('noSuchImage')
    assert.equal(told.running, true)
    assert.equal(told.monitor.rejected?.message, 'Container failed to start')
    assert.match(told.monitor.rejected.cause, /moorage-contract\.invalid\/none:none/)
    assert.equal(told.after, false)
  })

  it('can be called again after a failure to start', async () => {
    assert.equal(await ask('afterAFailure'), 1)
  })

  it('replaces the image’s command with entrypoint, and gives its words as they are', async () => {
    assert.deepEqual(await ask('entrypoint'), ['--mine', 'two words', '', '$HOME'])
  })

  it('runs the image’s own command in its own folder without one', async () => {
    assert.deepEqual(await ask('ownCommand'), { argv: [], cwd: '/srv' })
  })

  it('makes the root process PID 1', async () => {
    assert.equal(await ask('pid'), 1)
  })

  it('coerces numbers and strings as Web IDL does', async () => {
    assert.deepEqual(await ask('coerces'), { NUMBER: '5', TRUE: 'true', argv: ['7'] })
  })

  it('gives a fresh file system after an end', async () => {
    assert.deepEqual(await ask('freshFileSystem'), { before: 200, after: 500 })
  })

  it('is needed again after the container has exited: nothing restarts it', async () => {
    assert.deepEqual(await ask('notRestarted'), {
      pid: 1,
      end: { rejected: { name: 'Error', message: 'Container exited with unexpected exit code: 3', exitCode: 3 } },
      running: false,
      answered: false,
    })
  })

  it('starts another life after an end', async () => {
    assert.equal(await ask('again'), true)
  })

  it('limits memory to that of the instance type it is given', async () => {
    assert.equal(await ask('limits', { instance: '"lite"' }), 256 * 2 ** 20)
  })

  it('limits memory to the resources it is given', async () => {
    const instance = JSON.stringify({ vcpu: 1, memoryMib: 300, diskMb: 2000 })
    assert.equal(await ask('limits', { instance }), 300 * 2 ** 20)
  })
})

about(
  'start, of an image with ENTRYPOINT',
  'start',
  (ask) => {
    it('keeps ENTRYPOINT and replaces CMD with entrypoint', async () => {
      assert.deepEqual(await ask('replacesTheCommand'), ['--from-entrypoint', '--from-start', '--listen', '8080'])
    })

    it('runs ENTRYPOINT and CMD without one', async () => {
      assert.deepEqual((await ask('ownCommand')).argv, ['--from-entrypoint', '--from-cmd'])
    })
  },
  { className: 'WithEntrypoint' },
)
