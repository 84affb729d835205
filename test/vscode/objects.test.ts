import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { copyExample } from '../support/project.ts'
import { runSuite } from './rig/rig.ts'

describe('the Objects view', () => {
  it('lists class, object and container of a session that runs in the extension host', async () => {
    await using project = await copyExample('quotes')
    const { steps, error } = await runSuite({
      suite: 'test/vscode/objects.suite.ts',
      folder: project.folder,
      answer: async () => undefined,
    })
    assert.equal(error, undefined)
    assert.deepEqual(steps, ['the extension activates'])
  })
})
