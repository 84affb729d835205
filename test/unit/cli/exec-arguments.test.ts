import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseExec } from '../../../runtime/cli/exec-arguments.ts'

const BARE = { config: undefined, object: 'Quotes/anna', argv: [], user: undefined, cwd: undefined, env: {} }

describe('moorage exec', () => {
  it('wants an object, and no command for a shell', () => {
    assert.deepEqual(parseExec(['Quotes/anna']), BARE)
  })

  it('takes all behind -- as it is', () => {
    const argv = ['sh', '-c', 'echo "$A"', '--', '--user']
    assert.deepEqual(parseExec(['Quotes/anna', '--', ...argv]), { ...BARE, argv })
  })

  it('takes user, folder and environment', () => {
    assert.deepEqual(
      parseExec(['-u', 'node', '-w', '/app', '-e', 'A=1=2', '-e', 'B=', '-c', 'x.toml', 'Quotes/anna']),
      {
        ...BARE,
        config: 'x.toml',
        user: 'node',
        cwd: '/app',
        env: { A: '1=2', B: '' },
      },
    )
  })

  it('says what is wrong', () => {
    assert.throws(() => parseExec([]), { message: 'Which object? moorage exec Class/name -- command' })
    assert.throws(() => parseExec(['--', 'ls']), { message: 'Which object? moorage exec Class/name -- command' })
    assert.throws(() => parseExec(['Quotes/anna', 'ls', 'x']), {
      message: 'The command stands behind --: moorage exec Quotes/anna -- ls x',
    })
    assert.throws(() => parseExec(['Quotes/anna', '-e', '=1']), { message: '-e is NAME=VALUE.' })
    assert.throws(() => parseExec(['Quotes/anna', '--tty']), /Unknown option '--tty'/)
  })
})
