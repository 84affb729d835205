import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Engine } from '../../../runtime/engine/engine.ts'
import { type Lost, livesWithoutAgent } from '../../../runtime/object/agent-lost.ts'
import type { ContainerId } from '../../../runtime/protocol/model.ts'

/** @param commands of its processes; undefined where it does not run. */
function lives(lost: Lost, commands: readonly string[] | undefined, paused = false): Promise<boolean> {
  const engine = {
    top: async () => commands ?? Promise.reject(new Error('It does not run.')),
    inspect: async () => ({ paused }),
  } as unknown as Engine
  return livesWithoutAgent(engine, 'c' as ContainerId, lost)
}

describe('a container whose agent is not heard', () => {
  it('lives without it where it has processes and none is the agent', async () => {
    assert.equal(await lives('just-now', ['node server.js', '[agent] <defunct>']), true)
    assert.equal(await lives('just-now', ['node server.js', '/.moorage/agent']), false)
  })

  it('may just be ending', async () => {
    assert.equal(await lives('just-now', undefined), false)
    assert.equal(await lives('just-now', []), false)
    assert.equal(await lives('just-now', ['[node]', '[agent] <defunct>']), false)
  })

  it('is lost after long, whatever the engine says', async () => assert.equal(await lives('for-long', undefined), true))

  it('is lost where it is there and silent, unless someone paused it all', async () => {
    assert.equal(await lives('silent', ['/.moorage/agent']), true)
    assert.equal(await lives('silent', ['/.moorage/agent'], true), false)
  })
})
