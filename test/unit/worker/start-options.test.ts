import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { checkStart, convertStart } from '../../../runtime/worker/start-options.ts'

// The expected texts are what workerd 1.20261117.1 says to the same calls.

const start = (options: unknown, experimental = false) => checkStart(convertStart(options), experimental)

describe('start()’s options, converted', () => {
  it('are none for undefined and null', () => {
    assert.deepEqual(start(undefined), { enableInternet: false })
    assert.deepEqual(start(null), { enableInternet: false })
  })

  it('are those of the API page', () => {
    const options = { env: { FOO: 'bar' }, enableInternet: true, entrypoint: ['node', 'server.js'] }
    assert.deepEqual(start(options), options)
  })

  it('become strings, numbers and booleans as Web IDL has them', () => {
    assert.deepEqual(start({ env: { N: 5, B: true }, entrypoint: [1, null], enableInternet: 'yes', image: 7 }), {
      env: { N: '5', B: 'true' },
      entrypoint: ['1', 'null'],
      enableInternet: true,
      image: '7',
    })
  })

  for (const value of [1, 'x', true, 5n]) {
    it(`must not be ${typeof value}`, () => {
      assert.throws(() => start(value), {
        name: 'TypeError',
        message: "Failed to execute 'start' on 'Container': parameter 1 is not of type 'StartupOptions'.",
      })
    })
  }

  for (const [field, type, values] of [
    ['entrypoint', 'Array', ['x', 5, {}, null, new Set(['a'])]],
    ['env', 'object', ['x', null, ['a']]],
    ['labels', 'object', ['x', null, 5]],
    ['containerSnapshot', 'SnapshotRestoreParams', ['x', null]],
    ['directorySnapshots', 'Array', ['x', {}]],
  ] as const) {
    it(`name the field ${field} where its type is wrong`, () => {
      for (const value of values) {
        assert.throws(() => start({ [field]: value }), {
          name: 'TypeError',
          message: `Incorrect type for the '${field}' field on 'StartupOptions': the provided value is not of type '${type}'.`,
        })
      }
    })
  }

  it('name the element of directorySnapshots that is wrong', () => {
    assert.throws(() => start({ directorySnapshots: [{ mountPoint: '/a' }, 1] }), {
      name: 'TypeError',
      message:
        "Incorrect type for array element 1: the provided value is not of type 'DirectorySnapshotRestoreParams'.",
    })
  })

  it('refuse a symbol where a string is wanted', () => {
    for (const options of [{ entrypoint: [Symbol('x')] }, { env: { a: Symbol('x') } }, { image: Symbol('x') }]) {
      assert.throws(() => start(options), { name: 'TypeError', message: 'Cannot convert a Symbol value to a string' })
    }
  })

  it('must be integers where they are times', () => {
    assert.throws(() => start({ hardTimeout: 'x' }), {
      name: 'TypeError',
      message: 'The value cannot be converted because it is not an integer.',
    })
    assert.throws(() => start({ hardTimeout: 2n ** 70n }), {
      name: 'TypeError',
      message: 'The value cannot be converted because it would be truncated.',
    })
  })
})

describe('start()’s options, checked', () => {
  const refused: readonly [what: string, options: object, name: string, message: string][] = [
    ['an empty environment name', { env: { '': 'x' } }, 'Error', 'Environment variable names cannot be empty.'],
    [
      '= in an environment name',
      { env: { 'a=b': 'x' } },
      'Error',
      "Environment variable names cannot contain '=': a=b",
    ],
    [
      'NUL in an environment name',
      { env: { 'a\0b': 'x' } },
      'Error',
      "Environment variable names cannot contain '\\0': a\0b",
    ],
    ['NUL in a value', { env: { a: 'x\0y' } }, 'Error', "Environment variable values cannot contain '\\0': a"],
    ['an empty image', { image: '' }, 'TypeError', 'Container image reference cannot be empty.'],
    ['a long image', { image: 'x'.repeat(4097) }, 'TypeError', 'Container image reference cannot exceed 4096 bytes.'],
    [
      'an image with a space',
      { image: 'a b' },
      'TypeError',
      'Container image reference must contain only non-space printable ASCII characters.',
    ],
    [
      'an image that is not ASCII',
      { image: 'é' },
      'TypeError',
      'Container image reference must contain only non-space printable ASCII characters.',
    ],
    [
      'image and containerSnapshot together',
      { image: 'a', containerSnapshot: { id: 'x' } },
      'TypeError',
      '`image` and `containerSnapshot` are mutually exclusive.',
    ],
    ['an empty snapshot id', { containerSnapshot: { id: '' } }, 'TypeError', 'Container snapshot ID cannot be empty.'],
    ['an unknown instance name', { instance: 'huge' }, 'TypeError', 'Invalid container instance type.'],
    ['no vcpu', { instance: {} }, 'RangeError', 'Container resource vcpu must be a finite number greater than 0.'],
    [
      'a fraction of memory',
      { instance: { vcpu: 1, memoryMib: 1.5, diskMb: 1 } },
      'RangeError',
      'Container resource memoryMib must be an integer.',
    ],
    [
      'negative memory',
      { instance: { vcpu: 1, memoryMib: -1, diskMb: 1 } },
      'RangeError',
      'Container resource memoryMib must be a finite number greater than 0.',
    ],
    [
      'more disk than a number holds',
      { instance: { vcpu: 1, memoryMib: 1, diskMb: 2 ** 60 } },
      'RangeError',
      'Container resource diskMb exceeds Number.MAX_SAFE_INTEGER.',
    ],
    ['an empty label name', { labels: { '': 'x' } }, 'Error', 'Label names cannot be empty'],
    [
      'a long label name',
      { labels: { ['n'.repeat(17)]: 'x' } },
      'Error',
      'Label names cannot exceed 16 bytes (index 0)',
    ],
    [
      'a label name of 18 bytes in 9 letters',
      { labels: { ['é'.repeat(9)]: 'x' } },
      'Error',
      'Label names cannot exceed 16 bytes (index 0)',
    ],
    ['a long label', { labels: { a: 'v'.repeat(65) } }, 'Error', 'Label values cannot exceed 64 bytes (index 0)'],
    [
      'a control character in a label name',
      { labels: { 'a\n': 'x' } },
      'Error',
      'Label names cannot contain control characters (index 0)',
    ],
    [
      'a control character in the second label',
      { labels: { b: '1', a: 'x\t' } },
      'Error',
      'Label values cannot contain control characters (index 1)',
    ],
    [
      'eleven labels',
      { labels: Object.fromEntries(Array.from({ length: 11 }, (_, i) => [`l${i}`, 'x'])) },
      'Error',
      'Cannot specify more than 10 container labels',
    ],
    [
      'no mount point',
      { directorySnapshots: [{}] },
      'Error',
      'Directory snapshot restore requires a mountPoint when no snapshot is given.',
    ],
    [
      'the root directory',
      { directorySnapshots: [{ mountPoint: '/' }] },
      'Error',
      'Directory snapshot cannot be restored to root directory.',
    ],
    [
      'a relative restore path',
      { directorySnapshots: [{ mountPoint: 'x' }] },
      'TypeError',
      'Directory snapshot restore path must be absolute. Got: x',
    ],
    [
      'a restore path that leaves the root',
      { directorySnapshots: [{ mountPoint: '/../a' }] },
      'TypeError',
      'Directory snapshot restore path contains invalid components: /../a',
    ],
  ]
  for (const [what, options, name, message] of refused) {
    it(`refuse ${what}`, () => {
      assert.throws(() => start(options), { name, message })
    })
  }

  it('take every instance name', () => {
    for (const instance of ['lite', 'basic', 'standard-1', 'standard-2', 'standard-3', 'standard-4']) {
      assert.deepEqual(start({ instance }), { enableInternet: false, instance })
    }
  })

  it('take labels up to their limits', () => {
    const labels = { ['n'.repeat(16)]: 'v'.repeat(64), b: '' }
    assert.deepEqual(start({ labels }), { enableInternet: false, labels })
  })

  it('have a hard timeout only under the experimental flag', () => {
    assert.deepEqual(start({ hardTimeout: 0 }), { enableInternet: false })
    assert.deepEqual(start({ hardTimeout: 5n }, true), { enableInternet: false, hardTimeout: 5 })
    assert.throws(() => start({ hardTimeout: 0 }, true), {
      name: 'RangeError',
      message: 'Hard timeout must be greater than 0',
    })
  })

  it('say of snapshots that they are not there yet', () => {
    assert.throws(() => start({ containerSnapshot: { id: 'x' } }), /^Error: Starting from a snapshot is not there yet/)
  })
})
