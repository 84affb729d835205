import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { BUILD_ARGS, copyFixture } from '../support/session.ts'
import { runSuite } from './rig/rig.ts'

describe('the API that activate() returns', () => {
  it('starts, shows and stops a session', async () => {
    await using project = await copyFixture('desk')
    const steps = await runSuite({
      suite: 'test/vscode/api.suite.ts',
      folder: project.folder,
      settings: { 'moorage.buildArgs': BUILD_ARGS },
      answer: async (question) => assert.fail(`It asked for "${question}", and needs no page.`),
    })
    assert.deepEqual(steps, [
      'activate() gives the API',
      'every command of the manifest does something',
      'start() resolves with a session, which sessions lists',
      'a request to the Worker gives a row, and events',
      'a process runs in its container',
      'stop() leaves no session and no row',
    ])
  })
})
