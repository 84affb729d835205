import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  checkInactivityTimeout,
  checkPort,
  checkSignal,
  checkStart,
  convertStart,
  exitError,
  refusalError,
  requireArgument,
  toInt32,
  toInt64,
} from '../../../runtime/worker/check.ts'

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

describe('a 32-bit integer', () => {
  for (const [value, number] of [
    ['9', 9],
    ['x', 0],
    [15.7, 15],
    [-1.5, -1],
    [Number.NaN, 0],
    [Number.POSITIVE_INFINITY, 0],
    [null, 0],
    [true, 1],
  ] as const) {
    it(`is ${number} for ${JSON.stringify(value)}`, () => assert.equal(toInt32(value), number))
  }

  it('refuses what does not fit, a bigint and a symbol', () => {
    const message = 'Value out of range. Must be between -2147483648 and 2147483647 (inclusive).'
    assert.throws(() => toInt32(2 ** 31), { name: 'TypeError', message })
    assert.throws(() => toInt32(9n), { name: 'TypeError', message: 'Cannot convert a BigInt value to a number' })
    assert.throws(() => toInt32(Symbol('x')), {
      name: 'TypeError',
      message: 'Cannot convert a Symbol value to a number',
    })
  })
})

describe('a 64-bit integer', () => {
  it('is cut off', () => assert.equal(toInt64(1.9), 1))
  it('may be a bigint', () => assert.equal(toInt64(5n), 5))
  it('refuses what is no integer', () => {
    for (const value of ['x', Number.NaN, Number.POSITIVE_INFINITY]) {
      assert.throws(() => toInt64(value), { message: 'The value cannot be converted because it is not an integer.' })
    }
  })
  it('refuses what does not fit', () => {
    assert.throws(() => toInt64(1e30), {
      message: 'Value out of range. Must be between -9223372036854775808 and 9223372036854775807 (inclusive).',
    })
  })
})

describe('signals, ports and times', () => {
  it('are 1 to 64', () => {
    assert.deepEqual([1, '9', 64].map(checkSignal), [1, 9, 64])
    for (const value of [0, 65, -1, 'x', null]) {
      assert.throws(() => checkSignal(value), { name: 'RangeError', message: 'Invalid signal number.' })
    }
  })

  it('are 1 to 65535', () => {
    assert.deepEqual([1, '80', 65_535].map(checkPort), [1, 80, 65_535])
    assert.throws(() => checkPort(65_536), { name: 'TypeError', message: 'Invalid port number: 65536' })
    assert.throws(() => checkPort(Number.NaN), { name: 'TypeError', message: 'Invalid port number: 0' })
  })

  it('are more than nothing', () => {
    assert.equal(checkInactivityTimeout(1500), 1500)
    for (const value of [0, -5, 0.5]) {
      assert.throws(() => checkInactivityTimeout(value), {
        name: 'TypeError',
        message: 'setInactivityTimeout() cannot be called with a durationMs <= 0',
      })
    }
  })

  it('may not be left out', () => {
    assert.throws(() => requireArgument([], 'signal', 'integer'), {
      name: 'TypeError',
      message: "Failed to execute 'signal' on 'Container': parameter 1 is not of type 'integer'.",
    })
  })
})

describe('errors', () => {
  it('of an exit have the code in the text and as a number', () => {
    const { message, exitCode } = exitError(7)
    assert.deepEqual([message, exitCode], ['Container exited with unexpected exit code: 7', 7])
  })

  it('of a refusal have its type, cause and whether to try again', () => {
    const error = refusalError({ message: 'm', name: 'RangeError', cause: 'the whole story', retryable: true })
    assert.equal(error.name, 'RangeError')
    assert.equal((error.cause as Error).message, 'the whole story')
    assert.equal((error as { retryable?: boolean }).retryable, true)
  })

  it('of a refusal have nothing that was not said', () => {
    assert.deepEqual(Object.keys(refusalError({ message: 'm' })), [])
  })
})
