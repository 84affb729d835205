import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { cardOf } from '../../../../extension/why/card.ts'
import type { ClassModel, ObjectModel, Reason } from '../../../../runtime/protocol/model.ts'

const CLASS = {
  className: 'Sandbox',
  instanceType: 'basic',
  limits: { cpus: 0.25, memoryBytes: 1_000_000_000 },
  image: { state: 'ready', image: 'sandbox:9c41e2' },
} as ClassModel

function cardFor(reason: Reason, state: 'stopped' | 'failed' = 'failed', lastLog: readonly string[] = []) {
  const end = { at: Date.UTC(2026, 10, 24, 14), reason, message: 'It ended.', advice: ['Do this.'], lastLog }
  const object = { key: 'Sandbox/1', id: '1', name: 'eve', className: 'Sandbox', memory: 'in-memory' }
  const made = cardOf({ ...object, container: { state, life: 3, end } } as unknown as ObjectModel, CLASS)
  assert(made !== undefined)
  return made
}
const facts = (reason: Reason) =>
  Object.fromEntries(cardFor(reason).card.facts.map(({ name, value }) => [name, value] as const))
const steps = (reason: Reason) => cardFor(reason).steps.map(({ command }) => command.replace('moorage.', ''))

describe('the card "why"', () => {
  it('says of whom, what happened, what to do, and the last lines of the log, without their escape sequences', () => {
    const { card } = cardFor({ kind: 'out-of-memory', exitCode: 137 }, 'failed', ['a\x1b[2J', 'b'])
    assert.equal(card.title, 'eve · Sandbox')
    assert.equal(card.headline, 'It ended.')
    assert.deepEqual(card.advice, ['Do this.'])
    assert.deepEqual(card.log, ['a', 'b'])
    assert.equal(card.failed, true)
  })

  it('says the exit code in words', () => {
    assert.equal(facts({ kind: 'out-of-memory', exitCode: 137 })['Exit code'], '137: ended by SIGKILL')
    assert.equal(facts({ kind: 'exited', exitCode: 127 })['Exit code'], '127: the program was not found')
    assert.equal(facts({ kind: 'exited', exitCode: 3 })['Exit code'], '3')
    assert.equal(facts({ kind: 'exited', exitCode: 139, signal: 11 })['Exit code'], '139: ended by SIGSEGV')
  })

  it('says who ended it', () => {
    assert.equal(facts({ kind: 'destroyed', by: 'person' }).Reason, 'you destroyed it')
    assert.equal(facts({ kind: 'destroyed', by: 'worker', value: 'bye' })['Value given to destroy()'], 'bye')
    assert.equal(facts({ kind: 'signalled', by: 'worker', sent: 15, exitCode: 143 }).Reason, 'the Worker sent SIGTERM')
    assert.match(facts({ kind: 'idle', exitCode: 0 }).Reason ?? '', /^idle/)
  })

  it("says how far a start came, and the engine's answer", () => {
    const failed = facts({ kind: 'start-failed', phase: 'create', code: 'engine-error', message: 'no space' })
    assert.match(failed['Phase reached'] ?? '', /^create/)
    assert.equal(failed["The engine's answer"], 'no space (engine-error)')
  })

  it('says the limits', () => {
    assert.equal(facts({ kind: 'exited', exitCode: 1 }).Limits, 'basic: ¼ vCPU, 1 GB memory')
  })

  it('has what most probably helps as its first button', () => {
    assert.equal(steps({ kind: 'out-of-memory', exitCode: 137 })[0], 'raiseMemory')
    assert.equal(steps({ kind: 'start-failed', phase: 'image', code: 'build-failed', message: '' })[0], 'goToFailure')
    assert.equal(steps({ kind: 'start-failed', phase: 'port', code: '', message: '' })[0], 'revealClass')
    assert.equal(steps({ kind: 'exited', exitCode: 127 })[0], 'shellInImage')
    assert.equal(steps({ kind: 'idle', exitCode: 0 })[0], 'startContainer')
  })

  it('is none of an object whose container runs', () => {
    assert.equal(cardOf({ container: { state: 'running' } } as ObjectModel, CLASS), undefined)
  })
})
