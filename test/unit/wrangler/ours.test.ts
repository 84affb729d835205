import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { TheirWords } from '../../../runtime/wrangler/ours.ts'

const words = new TheirWords({
  config: '/p/wrangler.jsonc',
  main: '/p/src/index.ts',
  entry: '/p/.wrangler/moorage/0/worker-0/p.entry.mjs',
  workerModule: '/m/dist/worker.js',
})

describe('words about a Worker', () => {
  it('have no frames of Moorage’s, nor of wrangler’s middleware', () => {
    const stack = `Error: in the object
    at boom (file:///p/src/index.ts:55:39)
    at apply (file:///m/runtime/worker/instance.ts:70:44)
    at file:///p/.wrangler/moorage/0/worker-0/p.entry.mjs:3:1
    at async jsonError (file:///p/node_modules/wrangler/templates/middleware/middleware-miniflare3-json-error.ts:22:10)`
    assert.equal(words.of(stack), 'Error: in the object\n    at boom (file:///p/src/index.ts:55:39)')
  })

  it('name the main module where the generated entry stood', () => {
    assert.equal(
      words.of('You should export these objects from your entrypoint, .wrangler/moorage/0/worker-0/p.entry.mjs.'),
      'You should export these objects from your entrypoint, src/index.ts.',
    )
  })

  it('are otherwise as they were', () => {
    assert.equal(words.of('see /m/runtime/worker/instance.ts'), 'see /m/runtime/worker/instance.ts')
  })
})
