import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { catches, explain, signalName } from '../../../runtime/object/explain.ts'
import { Step } from '../../../runtime/protocol/agent.ts'
import { explainErrno } from '../../../runtime/protocol/errno.ts'
import type { Reason } from '../../../runtime/protocol/model.ts'

/** `!` in front: someone should look. The advice follows, a line each. */
function said(reason: Reason, memoryMib: number | undefined = 256): string {
  const { message, advice, failed } = explain(reason, memoryMib)
  return [`${failed ? '! ' : ''}${message}`, ...advice.map((line) => `  ${line}`)].join('\n')
}

const SENTENCES: readonly (readonly [Reason, string])[] = [
  [{ kind: 'exited', exitCode: 0 }, 'The root process ended by itself (exit 0).'],
  [{ kind: 'exited', exitCode: 1 }, '! The root process ended by itself with exit code 1.'],
  [{ kind: 'exited', exitCode: 139 }, '! The root process was ended by SIGSEGV (exit 139).'],
  [{ kind: 'exited', exitCode: 168 }, '! The root process was ended by signal 40 (exit 168).'],
  [
    { kind: 'exited', exitCode: 137 },
    '! The root process was ended by SIGKILL (exit 137).\n' +
      '  Nobody here sent it: look for a kill from inside the container, or from another tool.',
  ],
  [{ kind: 'exited', exitCode: 255 }, '! The root process ended by itself with exit code 255.'],
  [
    { kind: 'out-of-memory', exitCode: 137 },
    '! Out of memory: the kernel killed the root process at its limit of 256 MiB (exit 137).\n' +
      '  Give the class a larger "instance_type" in the wrangler config, or let the app use less.',
  ],
  [{ kind: 'destroyed', by: 'worker' }, 'Destroyed by the Worker.'],
  [{ kind: 'destroyed', by: 'worker', value: 'enough' }, 'Destroyed by the Worker: enough.'],
  [{ kind: 'destroyed', by: 'person' }, 'Destroyed by you.'],
  [{ kind: 'signalled', by: 'worker', sent: 15, exitCode: 143 }, 'Ended after the Worker sent SIGTERM (exit 143).'],
  [{ kind: 'signalled', by: 'person', sent: 9, exitCode: 137 }, 'Ended after you sent SIGKILL (exit 137).'],
  [{ kind: 'idle', exitCode: 0 }, 'Ended by sleepAfter: no request came in the time that the class allows (exit 0).'],
  [{ kind: 'abort' }, 'Ended because its object’s instance went away (ctx.abort()).'],
  [{ kind: 'eviction' }, 'Ended because its object was idle and was evicted; setInactivityTimeout() lets it live on.'],
  [{ kind: 'image-rebuilt' }, 'Ended because its image was built anew.'],
  [
    { kind: 'engine-gone' },
    '! The container engine stopped, and the container with it.\n  It starts again with the next start().',
  ],
  [
    { kind: 'removed-outside' },
    '! Someone stopped, killed or removed the container from outside, with the engine’s own tools.\n' +
      '  It starts again with the next start().',
  ],
  [
    { kind: 'agent-lost' },
    '! Something in the container ended Moorage’s agent there, without which nothing reaches it: it was ended.\n' +
      '  Look for a kill of all processes (kill -1) in the app. It starts again with the next start().',
  ],
  [{ kind: 'session-ended' }, 'Ended with the session.'],
  [
    { kind: 'start-failed', phase: 'create', code: 'start-failed', message: 'no space left on device' },
    '! It did not start (create): no space left on device',
  ],
  [
    { kind: 'start-failed', phase: 'start', code: 'executable-not-found', message: 'cannot execute "srv"' },
    '! It did not start (start): cannot execute "srv"\n' +
      '  Check CMD and ENTRYPOINT of the image, and "entrypoint" of start().',
  ],
  [
    { kind: 'start-failed', phase: 'image', code: 'too-many-instances', message: 'Quotes has 2 containers running.' },
    '! It did not start: Quotes has 2 containers running.\n' +
      '  Raise "max_instances" in the wrangler config, or end containers that are not needed.',
  ],
]

describe('why a container ended', () => {
  for (const [reason, sentence] of SENTENCES) {
    it(`says ${JSON.stringify(reason)}`, () => assert.equal(said(reason), sentence))
  }

  it('names no limit where there is none', () => {
    assert.match(
      explain({ kind: 'out-of-memory', exitCode: 137 }, undefined).message,
      /^Out of memory: the kernel killed the root process \(exit 137\)\.$/,
    )
  })
})

describe('a signal’s name', () => {
  it('is the one that people know, or its number', () => {
    assert.deepEqual([9, 15, 34].map(signalName), ['SIGKILL', 'SIGTERM', 'signal 34'])
  })
})

describe('whether a process catches a signal', () => {
  const status = (caught: string): string => `Name:\tnode\nSigIgn:\t0000000001001000\nSigCgt:\t${caught}\nCapInh:\t0\n`

  it('is the bit of it in SigCgt', () => {
    assert.equal(catches(status('0000000000004000'), 15), true)
    assert.equal(catches(status('0000000000000000'), 15), false)
    assert.equal(catches(status('8000000000000000'), 64), true)
    assert.equal(catches(status('0000000000008000'), 15), false)
  })

  it('is taken for granted where the status does not say', () => {
    assert.equal(catches('', 15), true)
  })
})

describe('why a command did not start', () => {
  const command = { argv: ['srv', '--port', '80'], cwd: '/app', user: 'nobody' }
  const rows: readonly (readonly [errno: number, step: number, words: string])[] = [
    [2, Step.EXEC, 'cannot execute "srv": no such file or directory'],
    [13, Step.EXEC, 'cannot execute "srv": permission denied'],
    [8, Step.EXEC, 'cannot execute "srv": not a program for this machine (wrong architecture, or a script without #!)'],
    [
      7,
      Step.COMMAND,
      'cannot read its command "srv": too long: Linux takes 128 KiB in one argument or variable, and about 2 MiB in all',
    ],
    [11, Step.FORK, 'cannot start a process "srv": too many processes'],
    [2, Step.CWD, 'cannot enter the folder "/app": no such file or directory'],
    [20, Step.CWD, 'cannot enter the folder "/app": not a directory'],
    [1, Step.PERMISSION, 'cannot get the rights to "srv": not permitted'],
    [2, Step.USER, 'cannot find the user for "nobody": no such user in /etc/passwd of the image'],
    [
      61,
      Step.USER,
      'cannot find the user for "nobody": the image has no /etc/passwd, so that only root has a name: give a number',
    ],
    [
      79,
      Step.EXEC,
      'cannot execute "srv": its interpreter (which its first line names after #!), or its loader, is not in the image',
    ],
    [99, 42, 'cannot start "srv": errno 99'],
  ]
  for (const [errno, step, words] of rows) {
    it(words, () => assert.equal(explainErrno(errno, step, command), words))
  }

  it('tells a group from a user', () => {
    const words = explainErrno(2, Step.USER, { ...command, user: 'nobody:staff' })
    assert.match(words, /no such user or group in \/etc\/passwd and \/etc\/group of the image$/)
  })

  it('names root where the user is none', () => {
    assert.equal(explainErrno(1, Step.USER, { ...command, user: '' }), 'cannot find the user for "root": not permitted')
  })
})
