import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { People } from '../../../runtime/exec/people.ts'
import type { ExecPlace } from '../../../runtime/exec/process.ts'
import type { Processes } from '../../../runtime/exec/processes.ts'
import { SpawnError } from '../../../runtime/link/process.ts'
import { Step } from '../../../runtime/protocol/agent.ts'
import { objectKey } from '../../../runtime/protocol/model.ts'

const KEY = objectKey('Bare', 'a')
const ENOENT = 2

/** A container whose image has nothing; `/.moorage/busybox` is there when it was put there. */
function setUp() {
  const place = { link: {}, app: { argv: [], env: {}, cwd: '/', user: '' } } as unknown as ExecPlace
  const open = (_: ExecPlace, { argv }: { argv: readonly string[] }) => ({
    started: argv[0] === '/.moorage/busybox' ? Promise.resolve(7) : Promise.reject(new SpawnError(ENOENT, Step.EXEC)),
  })
  const people = new People({
    processes: { open } as unknown as Processes,
    place: async () => place,
    busybox: async () => ({ path: '/.moorage/busybox', note: 'put there' }),
  })
  const run = (...argv: string[]) =>
    people.open(
      KEY,
      { argv, env: {}, cwd: undefined, user: undefined, stdin: true, stdout: 'pipe', stderr: 'pipe', pty: undefined },
      () => undefined,
    )
  const refusal = (...argv: string[]) =>
    run(...argv).then(
      () => 'it ran',
      (error: { message: string; advice: readonly string[] }) => [error.message, ...error.advice].join('\n'),
    )
  return { run, refusal }
}

describe('a command that the image has not', () => {
  it('is said to be in the busybox beside the app, once there is one', async () => {
    const { run, refusal } = setUp()
    const message = 'cannot execute "ls": no such file or directory'
    assert.equal(await refusal('ls', '/'), message)
    await run()
    assert.equal(
      await refusal('ls', '/'),
      `${message}\nThe image has no ls. The busybox beside the app may have one: /.moorage/busybox ls /`,
    )
  })

  it('is only missing where it was named by its path', async () => {
    const { run, refusal } = setUp()
    await run()
    assert.equal(await refusal('/bin/ls'), 'cannot execute "/bin/ls": no such file or directory')
  })
})
