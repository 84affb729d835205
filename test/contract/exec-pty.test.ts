import assert from 'node:assert/strict'
import { it } from 'node:test'
import { about } from '../support/contract/object.ts'

about('a process with a terminal', 'execPty', (ask) => {
  it('has one combined raw stream, stdin, and isPty', async () => {
    assert.deepEqual(await ask('streams'), {
      isPty: [true, false],
      stdin: true,
      stderr: null,
      stdout: 'out\r\nerr\r\nterminal\r\n',
      exitCode: 0,
    })
  })

  it('has 24 rows of 80 from its first instruction', async () => assert.equal(await ask('size'), '24 80'))
  it('has the size that it is given', async () => {
    assert.equal(await ask('size', { cols: '132', rows: '50' }), '50 132')
    assert.equal(await ask('size', { cols: '20000', rows: '3' }), '3 20000')
  })

  it('knows what terminal it has, unless it is told of another', async () => {
    assert.deepEqual(await ask('term'), ['xterm-256color', 'dumb'])
  })

  it('hears of resize()', async () => assert.deepEqual(await ask('resize'), ['ready', '43 132', 137]))

  for (const [cols, rows, name] of [
    ['0', '24', 'cols'],
    ['80', '0', 'rows'],
    ['65536', '24', 'cols'],
    ['80', '-1', 'rows'],
  ] as const) {
    it(`throws a RangeError for resize(${cols}, ${rows})`, async () => {
      assert.deepEqual(await ask('resizeOutOfRange', { cols, rows }), {
        threw: { name: 'RangeError', message: `PTY ${name} must be between 1 and 65535.` },
      })
    })
  }

  it('throws a TypeError for resize() where there is no terminal', async () => {
    assert.deepEqual(await ask('resizeWithoutPty'), {
      threw: {
        name: 'TypeError',
        message: 'resize() can only be called on a process that was started with a PTY.',
      },
    })
  })

  it('reads what is typed', async () => assert.deepEqual(await ask('typed'), ['got hello', 0]))
  it('is interrupted by Ctrl-C', async () => assert.equal(await ask('interrupt'), 130))
  it('gives all to output()', async () => assert.deepEqual(await ask('output'), ['out\r\nerr\r\n', 0, 0]))
})
