import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseExec } from '../../../runtime/cli/exec-arguments.ts'

describe('moorage exec', () => {
  it('takes an object, and the command behind --', () => {
    assert.deepEqual(parseExec(['Quotes/alice', '--', 'sh', '-c', 'ls --all']), {
      config: undefined,
      object: 'Quotes/alice',
      argv: ['sh', '-c', 'ls --all'],
      user: undefined,
      cwd: undefined,
      env: {},
      notes: [],
    })
  })

  it('takes docker’s -it, and says that it is not needed', () => {
    const { object, argv, notes } = parseExec(['alice', '-it', '--', 'sh'])
    assert.deepEqual({ object, argv }, { object: 'alice', argv: ['sh'] })
    assert.match(notes.join(), /^-i and -t are not needed/)
    assert.match(parseExec(['-i', 'alice']).notes.join(), /not needed/)
  })

  it('takes options before and behind the object, and leaves those of the command alone', () => {
    const { object, argv, user, cwd, env } = parseExec([
      '-u',
      'app',
      'alice',
      '--cwd',
      '/tmp',
      '-e',
      'A=b=c',
      '--',
      'env',
      '-u',
      'X',
    ])
    assert.deepEqual(
      { object, argv, user, cwd, env },
      { object: 'alice', argv: ['env', '-u', 'X'], user: 'app', cwd: '/tmp', env: { A: 'b=c' } },
    )
  })

  it('means a shell without a command', () => assert.deepEqual(parseExec(['alice']).argv, []))

  it('says what is missing or misplaced', () => {
    assert.throws(() => parseExec([]), /Which object\?/)
    assert.throws(() => parseExec(['alice', 'ls']), {
      message: 'The command stands behind --: moorage exec alice -- ls',
    })
    assert.throws(() => parseExec(['alice', '-e', 'A']), { message: '-e is NAME=VALUE.' })
    assert.throws(() => parseExec(['--nonsense']), /nonsense/)
  })
})
