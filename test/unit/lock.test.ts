import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { type LockText, lockFile, readLock, takeLock } from '../../runtime/lock.ts'
import { MoorageError } from '../../runtime/protocol/errors.ts'

const living = (): boolean => true
const dead = (): boolean => false

describe('the lock of a project', () => {
  let folder = ''
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'moorage-lock-'))
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  const content = async (): Promise<LockText> => JSON.parse(await readFile(lockFile(folder), 'utf8')) as LockText
  const refusal = async (): Promise<MoorageError> => {
    const error = await takeLock(folder, 'second', living).then(
      () => undefined,
      (reason: unknown) => reason,
    )
    assert.ok(error instanceof MoorageError)
    return error
  }

  it('lies in the project’s .wrangler folder, for its owner only, and says who has it', async () => {
    await takeLock(folder, 'first')
    const { pid, session, since, url } = await content()
    assert.deepEqual([pid, session, typeof since, url], [process.pid, 'first', 'number', undefined])
    assert.equal((await stat(lockFile(folder))).mode & 0o777, 0o600)
  })

  it('is refused while its owner lives, which is named with how to join it', async () => {
    const lock = await takeLock(folder, 'first')
    await lock.update({ url: 'http://127.0.0.1:8787' })
    const error = await refusal()
    assert.equal(error.code, 'session-exists')
    const time = new Date((await content()).since).toLocaleTimeString()
    assert.equal(
      error.message,
      `This project already runs: session first, process ${process.pid}, which serves http://127.0.0.1:8787, since ${time}.`,
    )
    assert.deepEqual(error.advice, [
      'Use it: http://127.0.0.1:8787',
      `Or end it first: kill ${process.pid} (it cleans up after itself).`,
    ])
    assert.deepEqual(error.detail, { pid: process.pid, session: 'first', url: 'http://127.0.0.1:8787', folder })
  })

  it('is refused also while its owner is just starting', async () => {
    await takeLock(folder, 'first')
    const error = await refusal()
    assert.match(error.message, /, which is just starting, since /)
    assert.equal(error.advice[0], 'Wait until it is ready and use it.')
  })

  it('never tells the token that joins a session', async () => {
    const lock = await takeLock(folder, 'first')
    await lock.update({ join: { port: 1, token: 'secret' } })
    const error = await refusal()
    assert.ok(!JSON.stringify([error.message, error.advice, error.detail]).includes('secret'))
  })

  it('is taken over from a dead owner, and what it left of files is removed', async () => {
    await takeLock(folder, 'first')
    await mkdir(join(dirname(lockFile(folder)), 'first', 'logs'), { recursive: true })
    await takeLock(folder, 'second', dead)
    assert.equal((await content()).session, 'second')
    assert.deepEqual(await readdir(dirname(lockFile(folder))), ['session.json'])
  })

  it('is taken over where nobody can read it', async () => {
    for (const text of ['', '{"pid":', '{}', '[]', 'null']) {
      await mkdir(dirname(lockFile(folder)), { recursive: true })
      await writeFile(lockFile(folder), text)
      await (await takeLock(folder, 'second', living)).release()
    }
  })

  it('goes to one of two that take it at the same time', async () => {
    const taken = await Promise.allSettled(['a', 'b', 'c'].map((session) => takeLock(folder, session, living)))
    assert.deepEqual(taken.map(({ status }) => status).sort(), ['fulfilled', 'rejected', 'rejected'])
  })

  it('is free again when it is released, and leaves no folder in a project that had none', async () => {
    const lock = await takeLock(folder, 'first')
    await lock.release()
    assert.deepEqual(await readdir(folder), [])
    await lock.release()
    await takeLock(folder, 'second', living)
  })

  it('is released only by its owner', async () => {
    const first = await takeLock(folder, 'first')
    await takeLock(folder, 'second', dead)
    await first.release()
    assert.equal((await content()).session, 'second')
  })

  it('is found by whoever wants to join, while its owner lives', async () => {
    assert.equal(await readLock(folder), undefined)
    const lock = await takeLock(folder, 'first')
    await lock.update({ join: { port: 1_234, token: 't' } })
    assert.deepEqual((await readLock(folder))?.join, { port: 1_234, token: 't' })
    assert.equal(await readLock(folder, dead), undefined)
  })
})

describe('a lock that a dead session left', () => {
  it('is taken over by one of several that start at once', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'moorage-lock-'))
    t.after(() => rm(folder, { recursive: true, force: true }))
    const file = lockFile(folder)
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, JSON.stringify({ pid: 999_999, session: 'dead', since: 1 }))
    const alive = ({ session }: { session: string }): boolean => session !== 'dead'
    const tries = await Promise.allSettled(['a', 'b', 'c', 'd'].map((session) => takeLock(folder, session, alive)))
    assert.equal(tries.filter(({ status }) => status === 'fulfilled').length, 1)
  })
})
