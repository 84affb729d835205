import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { checkExec, checkResize } from '../../../runtime/worker/exec-options.ts'

/** What it throws, as text. */
function thrown(...args: unknown[]): string {
  try {
    checkExec(args)
  } catch (error) {
    return String(error)
  }
  return 'nothing'
}

const plain = {
  cmd: ['true'],
  env: {},
  cwd: undefined,
  user: undefined,
  stdin: undefined,
  stdout: 'pipe',
  stderr: 'pipe',
  signal: undefined,
  pty: undefined,
}

describe('what exec() is given', () => {
  it('has defaults', () => {
    for (const options of [undefined, null, {}]) assert.deepEqual(checkExec([['true'], options]), plain)
  })

  it('is made text, as Web IDL does', () => {
    assert.deepEqual(checkExec([[1, null, undefined, { toString: () => 'x' }], { env: { A: 1 }, cwd: 5 }]), {
      ...plain,
      cmd: ['1', 'null', 'undefined', 'x'],
      env: { A: '1' },
      cwd: '5',
    })
  })

  it('is an array of something', () => {
    const wrong = "TypeError: Failed to execute 'exec' on 'Container': parameter 1 is not of type 'Array'."
    for (const cmd of [undefined, null, 'ls', {}, 5]) assert.equal(thrown(cmd), wrong)
    assert.equal(thrown([]), 'TypeError: exec() requires a non-empty command array.')
    assert.match(thrown([Symbol('x')]), /^TypeError/)
  })

  it('has a terminal for true and for an object', () => {
    const terminal = { ...plain, stdin: 'pipe', stderr: 'combined' }
    assert.deepEqual(checkExec([['true'], { pty: true }]), { ...terminal, pty: { cols: 80, rows: 24 } })
    assert.deepEqual(checkExec([['true'], { pty: {} }]), { ...terminal, pty: { cols: 80, rows: 24 } })
    assert.deepEqual(checkExec([['true'], { pty: { cols: '132' } }]), { ...terminal, pty: { cols: 132, rows: 24 } })
    assert.deepEqual(checkExec([['true'], { pty: false }]), plain)
    assert.equal(checkExec([['true'], { pty: true, stderr: 'combined' }]).stderr, 'combined')
  })

  it('has modes', () => {
    assert.equal(thrown(['true'], { stdout: 'combined' }), 'TypeError: Invalid stdout option: combined')
    assert.equal(thrown(['true'], { stderr: null }), 'TypeError: Invalid stderr option: null')
    assert.equal(
      thrown(['true'], { pty: true, stderr: 'ignore' }),
      'TypeError: stderr must be "combined" when PTY is enabled.',
    )
    for (const pty of [false, true])
      assert.equal(
        thrown(['true'], { stdout: 'ignore', stderr: 'combined', pty }),
        'TypeError: stderr: "combined" requires stdout to be "pipe".',
      )
    assert.equal(
      thrown(['true'], { stdout: 'ignore', pty: true }),
      'TypeError: stdout must be "pipe" when PTY is enabled.',
    )
  })

  it('has a signal that was not aborted', () => {
    const { signal } = new AbortController()
    assert.equal(checkExec([['true'], { signal }]).signal, signal)
    assert.equal(thrown(['true'], { signal: AbortSignal.abort('why') }), 'why')
    assert.equal(
      thrown(['true'], { signal: {} }),
      "TypeError: Incorrect type for the 'signal' field on 'ExecOptions': the provided value is not of type 'AbortSignal'.",
    )
  })

  it('has no NUL', () => {
    for (const name of ['cwd', 'user'])
      assert.equal(thrown(['true'], { [name]: 'a\0b' }), `TypeError: ${name} cannot contain '\\0' characters.`)
    assert.equal(thrown(['a\0b']), "TypeError: cmd cannot contain '\\0' characters.")
    assert.equal(thrown(['true'], { env: { A: '\0' } }), "Error: Environment variable values cannot contain '\\0': A")
  })

  it('has a stdin that can be read', () => {
    const stdin = new ReadableStream()
    assert.equal(checkExec([['true'], { stdin }]).stdin, stdin)
    assert.equal(checkExec([['true'], { stdin: 'pipe' }]).stdin, 'pipe')
    for (const bad of ['x', 1, null, {}, new Uint8Array(1)])
      assert.equal(thrown(['true'], { stdin: bad }), 'TypeError: stdin must be a ReadableStream or the string "pipe".')
    stdin.getReader()
    assert.equal(thrown(['true'], { stdin }), 'TypeError: This ReadableStream is currently locked to a reader.')
  })
})

describe('what resize() is given', () => {
  it('is 1 to 65535, whole', () => {
    assert.deepEqual(checkResize([1, '65535']), { cols: 1, rows: 65535 })
    assert.deepEqual(checkResize([80.9, 24]), { cols: 80, rows: 24 })
  })

  for (const [args, name] of [
    [[0, 24], 'cols'],
    [[80, 65536], 'rows'],
    [[Number.NaN, 24], 'cols'],
  ] as const) {
    it(`is not ${args}`, () =>
      assert.throws(() => checkResize(args), {
        name: 'RangeError',
        message: `PTY ${name} must be between 1 and 65535.`,
      }))
  }

  it('is two numbers', () => {
    assert.throws(() => checkResize([80]), {
      name: 'TypeError',
      message: "Failed to execute 'resize' on 'ExecProcess': parameter 2 is not of type 'integer'.",
    })
  })
})
