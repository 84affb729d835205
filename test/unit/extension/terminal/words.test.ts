import assert from 'node:assert/strict'
import { it } from 'node:test'
import { words } from '../../../../extension/terminal/words.ts'

it('a command line is split as a shell would, without doing anything else of one', () => {
  assert.deepEqual(words('node server.mjs --port 80'), ['node', 'server.mjs', '--port', '80'])
  assert.deepEqual(words(`sh -c "echo 'a b' $HOME"`), ['sh', '-c', "echo 'a b' $HOME"])
  assert.deepEqual(words(`it\\'s 'a "b"' ""`), ["it's", 'a "b"', ''])
  assert.deepEqual(words('  a\t b  '), ['a', 'b'])
  assert.deepEqual(words(''), [])
  assert.deepEqual(words('a "b c'), ['a', 'b c'])
})
