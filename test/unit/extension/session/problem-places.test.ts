import assert from 'node:assert/strict'
import { it } from 'node:test'
import { problemsOf } from '../../../../extension/session/problem-places.ts'

it('a failed image is a problem of its Dockerfile, a broken Worker one of its code', () => {
  const model = {
    classes: [
      {
        className: 'Sandbox',
        image: { state: 'failed', message: 'exit 1', file: '/p/Dockerfile', line: 8, lastOutput: [], advice: [] },
      },
      { className: 'Other', image: { state: 'failed', message: 'no such image', lastOutput: [], advice: [] } },
    ],
    projects: [
      {
        config: '/p/wrangler.jsonc',
        worker: {
          state: 'failed',
          serving: true,
          message: 'src/index.ts:4:3: Expected ";"\n    const a = = 1\n/q/b.ts:1:1: Unexpected end of file\n    x',
        },
      },
    ],
  }
  assert.deepEqual(problemsOf(model as never), [
    { file: '/p/Dockerfile', line: 8, column: 1, message: 'The image of Sandbox failed: exit 1' },
    { file: '/p/src/index.ts', line: 4, column: 3, message: 'Expected ";"' },
    { file: '/q/b.ts', line: 1, column: 1, message: 'Unexpected end of file' },
  ])
})
