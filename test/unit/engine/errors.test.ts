import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { answerError, connectionError, isGone, problemOf, streamError } from '../../../runtime/engine/errors.ts'
import { MoorageError } from '../../../runtime/protocol/errors.ts'

/** What engines really said; status, words, and what it means here. */
const SAID: [number, string, string, string][] = [
  [404, 'No such image: nope:1', 'image-missing', 'no-such-image'],
  [404, 'nope:1: image not known', 'image-missing', 'no-such-image'],
  [404, 'No such container: ac9d', 'engine-error', 'no-such-container'],
  [404, 'network moorage-x not found', 'engine-error', 'no-such-network'],
  [404, 'get moorage-v: no such volume', 'engine-error', 'not-found'],
  [
    409,
    'Conflict. The container name "/a" is already in use by container "b". You have to remove (or rename) that container to be able to reuse that name.',
    'engine-error',
    'name-conflict',
  ],
  [409, 'removal of container ac9d is already in progress', 'engine-error', 'being-removed'],
  [409, 'container is marked for removal and cannot be started', 'engine-error', 'being-removed'],
  [409, 'Container ac9d is not running', 'engine-error', 'not-running'],
  [409, 'Cannot kill container: ac9d: Container ac9d is not running', 'engine-error', 'not-running'],
  [409, 'Container ac9d is already paused', 'engine-error', 'already-paused'],
  [403, 'error while removing network: network n id 1 has active endpoints', 'engine-error', 'in-use'],
  [
    409,
    'conflict: unable to remove repository reference "a:1" (must force) - container b is using its referenced image c',
    'engine-error',
    'in-use',
  ],
  [500, 'write /var/lib/docker/tmp/x: no space left on device', 'disk-full', 'disk-full'],
  [
    500,
    'driver failed programming external connectivity: Bind for 0.0.0.0:80 failed: port is already allocated',
    'port-in-use',
    'port-taken',
  ],
  [
    400,
    'OCI runtime create failed: container_linux.go:380: starting container process caused: exec: "nope": executable file not found in $PATH: unknown',
    'executable-not-found',
    'executable-not-found',
  ],
  [
    400,
    'failed to create task: OCI runtime create failed: exec: "/nope": stat /nope: no such file or directory: unknown',
    'executable-not-found',
    'executable-not-found',
  ],
  [
    400,
    'OCI runtime create failed: exec user process caused: exec format error',
    'executable-not-found',
    'not-executable',
  ],
  [400, 'invalid reference format', 'engine-error', 'other'],
  [418, '', 'engine-error', 'other'],
]

describe('answerError', () => {
  for (const [status, message, code, problem] of SAID) {
    it(`takes ${status} "${message.slice(0, 60)}" for ${problem}`, () => {
      const error = answerError(status, `${JSON.stringify({ message })}\n`, 'do it')
      assert.deepEqual([error.code, error.detail.problem], [code, problem])
      assert.match(error.message, /^The engine could not do it: /)
    })
  }

  it('understands an answer that is no JSON', () => {
    assert.equal(answerError(500, 'plain words\n', 'do it').message, 'The engine could not do it: plain words')
  })

  it('says what to do when the disk is full', () => {
    assert.match(streamError('no space left on device', 'build').advice[0] ?? '', /docker system prune/)
  })
})

describe('connectionError', () => {
  const failed = (code: string) => Object.assign(new Error(code), { code })

  it('takes a broken connection for a lost engine', () => {
    for (const code of ['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ENOENT', 'ESSH']) {
      const error = connectionError(failed(code), 'do it', '/a.sock')
      assert.ok(error instanceof MoorageError)
      assert.equal(error.code, 'engine-lost')
      assert.match(error.message, /\/a\.sock was lost, so it could not do it/)
    }
  })

  it('takes a closed socket for a question of rights', () => {
    const error = connectionError(failed('EACCES'), 'do it', '/a.sock')
    assert.equal(problemOf(error), 'permission')
    assert.match((error as MoorageError).advice.join(' '), /usermod/)
  })

  it('leaves other errors as they are', () => {
    const bug = new TypeError('x is not a function')
    assert.equal(connectionError(bug, 'do it', '/a.sock'), bug)
  })
})

describe('isGone', () => {
  it('is true for what is not there, and for nothing else', () => {
    const gone = SAID.filter(([status, message]) => isGone(answerError(status, JSON.stringify({ message }), ''))).map(
      ([status]) => status,
    )
    assert.deepEqual(gone, [404, 404, 404, 404, 404])
    assert.equal(isGone(new Error('No such container')), false)
  })
})
