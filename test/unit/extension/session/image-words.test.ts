import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { failureWords } from '../../../../extension/session/image-words.ts'

describe('the words of a failed image', () => {
  it('say what a RUN ended with', () => {
    const message = '/app/Dockerfile:8: RUN npm ci failed with exit code 1.'
    const failed = { message, file: '/app/Dockerfile', line: 8, instruction: 'RUN npm ci', exitCode: 1 }
    assert.equal(failureWords(failed), '"npm ci" exited with 1.')
  })

  it('leave out the place, which stands beside them', () => {
    const message = '/app/Dockerfile:3: COPY x failed: no such file'
    assert.equal(failureWords({ message, file: '/app/Dockerfile', line: 3 }), 'COPY x failed: no such file')
    assert.equal(failureWords({ message: '/app/Dockerfile: it is empty', file: '/app/Dockerfile' }), 'it is empty')
    assert.equal(failureWords({ message: 'no such image' }), 'no such image')
  })
})
