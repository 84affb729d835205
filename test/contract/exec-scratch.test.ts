import assert from 'node:assert/strict'
import { it } from 'node:test'
import { about } from '../support/contract/object.ts'

about(
  'exec in an image of one static program',
  'execScratch',
  (ask) => {
    it('runs without a shell', async () => {
      assert.deepEqual(await ask('runs'), { exitCode: 0, stdout: 'hello\n', stderr: '' })
    })

    it('runs as the image’s user, who is not root, or the one asked for; without a list of users, names but root are unknown', async () => {
      const [image, root, uid, byName, unknown] = await ask('user')
      assert.deepEqual([image, root, uid, byName], ['1000\n1001\n', '0\n0\n', '5\n0\n', '0\n0\n'])
      assert.match(unknown.rejected.message, /"node": the image has no \/etc\/passwd/)
    })

    it('kills without a kill program', async () => assert.equal(await ask('killed'), 143))
    it('writes no file', async () => assert.deepEqual(await ask('writesNoFile'), { same: true, shells: false }))
  },
  { className: 'Scratch' },
)
