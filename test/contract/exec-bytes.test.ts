import assert from 'node:assert/strict'
import { it } from 'node:test'
import { about } from '../support/contract/object.ts'

const SOURCES = [
  'of a response',
  'of a blob',
  'made by the Worker',
  'that takes its time',
  'of bytes',
  'of an identity stream',
  'of another process',
]

about('the streams of a process', 'execBytes', (ask) => {
  it('are there as asked for', async () => {
    assert.deepEqual(await ask('modes'), {
      default: '-|stdout|stderr| out| err',
      'stdin:pipe': 'stdin|stdout|stderr| out| err',
      'stdin:stream': '-|stdout|stderr| out| err',
      'stdout:ignore': '-|-|stderr|| err',
      'stderr:ignore': '-|stdout|-| out|',
      'stdout:ignore,stderr:ignore': '-|-|-||',
      'stderr:combined': '-|stdout|-| err out|',
    })
  })

  it('are null where they are absent, for ?? and ! as good as undefined', async () => {
    assert.deepEqual(await ask('absent'), Array(3).fill(['none', true]))
  })

  it('end stdin where it was not asked for', async () => {
    assert.deepEqual(await ask('eofWithoutStdin'), { exitCode: 0, stdout: '', stderr: '' })
  })

  it('talk both ways while the process runs', async () => {
    assert.deepEqual(await ask('stdinPipe'), ['one', 'two', 'three', 'end', 0])
  })

  for (const kind of SOURCES) {
    it(`take a stdin ${kind}`, async () => {
      assert.deepEqual(await ask('stdinStream', { kind }), { exitCode: 0, stdout: 'one two three end\n', stderr: '' })
    })
  }

  // An identity stream piped into another never moves in workerd, ours or not.
  for (const kind of SOURCES.filter((one) => one !== 'of an identity stream')) {
    it(`let a stream ${kind} be piped to stdin`, async () => {
      assert.equal(await ask('pipeToStdin', { kind }), 'one two three end\n')
    })
  }

  it('end stdin where its source breaks off', async () => assert.equal(await ask('stdinBreaksOff'), 0))
  it('let output come after stdin was closed', async () => assert.deepEqual(await ask('halfClose'), [500_004, 0]))

  for (const mib of ['0', '3', '24']) {
    it(`carry ${mib} MiB and some both ways as they are`, async () => {
      assert.deepEqual(await ask('bytes', { mib }), [0, true])
    })
  }

  for (const how of ['response', 'iteration', 'byob', 'pipeTo', 'tee']) {
    it(`can be read by ${how}`, async () => assert.deepEqual(await ask('read', { how }), [588_895, '100000', '']))
  }

  it('are independent: an unread stdout stops its writer only', async () => {
    assert.deepEqual(await ask('independent'), {
      heard: 15,
      other: 'other\n',
      waits: true,
      bytes: 8_000_000,
      last: 'stdout is done',
      exitCode: 0,
    })
  })

  it('carry much on both outputs at once', async () =>
    assert.deepEqual(await ask('bothAtOnce', { mib: '16' }), [0, 0, 0]))
  it('let the process go on when one is cancelled', async () => assert.deepEqual(await ask('cancel'), ['done\n', 0]))
  it('let the process go on when one is cancelled unread', async () =>
    assert.deepEqual(await ask('cancelUnread'), ['done\n', 0]))

  it('say in the platform’s way that nobody is there to read stdin', async () => {
    const [told, closed, exitCode] = await ask('brokenStdin')
    const ended = ['Error', 'The process has ended: nobody reads its stdin any more.']
    assert.deepEqual([told.name, told.message], ended)
    assert.deepEqual([closed.name, closed.message], ended)
    assert.equal(exitCode, 4)
  })

  it('do not fall over when a process that has ended is written to', async () => {
    assert.deepEqual(await ask('writesAfterTheEnd'), { exitCode: 0, stdout: 'still fine\n', stderr: '' })
  })

  it('say that the process has ended when it is written to, each time', async () => {
    const ended = { rejected: { name: 'Error', message: 'The process has ended: nobody reads its stdin any more.' } }
    assert.deepEqual(await ask('writesAfterTheEndTold'), [ended, ended, ended])
  })

  it('end what a process reads when its writer aborts', async () => {
    assert.deepEqual(await ask('abortedStdin'), [{ exitCode: 0, stdout: 'hi end\n', stderr: '' }, ['aborted', 'why']])
  })

  it('are read once by output()', async () => {
    assert.deepEqual(await ask('outputTwice'), {
      rejected: { name: 'TypeError', message: 'output() can only be called once.' },
    })
  })

  for (const stream of ['stdout', 'stderr']) {
    it(`are not read by output() after ${stream} was`, async () => {
      assert.deepEqual(await ask('outputAfterReading', { stream }), {
        rejected: {
          name: 'TypeError',
          message: `Cannot call output() after ${stream} has started being consumed.`,
        },
      })
    })
  }

  it('are taken by output()', async () => assert.equal(await ask('outputTakesTheStreams'), true))
  it('can be piped from process to process', async () => assert.equal(await ask('pipeline'), '50000'))
})
