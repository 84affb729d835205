import assert from 'node:assert/strict'
import { it } from 'node:test'
import { about } from '../support/contract/object.ts'

const rejected = (name: string, message: string) => ({ rejected: { name, message } })
const notRunning = rejected('Error', 'exec() cannot be called on a container that is not running.')
const wrongParameter = (n: number, type: string) =>
  rejected('TypeError', `Failed to execute 'exec' on 'Container': parameter ${n} is not of type '${type}'.`)
const wrongField = (field: string, type: string) =>
  rejected(
    'TypeError',
    `Incorrect type for the '${field}' field on 'ExecOptions': the provided value is not of type '${type}'.`,
  )

const NO_STDIN = rejected('TypeError', 'stdin must be a ReadableStream or the string "pipe".')

/** What exec() rejects with, by what it is given. */
const EXCEPTIONS: Record<string, object> = {
  'no arguments': wrongParameter(1, 'Array'),
  'a string': wrongParameter(1, 'Array'),
  'an empty array': rejected('TypeError', 'exec() requires a non-empty command array.'),
  'options that are no object': wrongParameter(2, 'ExecOptions'),
  'an unknown stdout mode': rejected('TypeError', 'Invalid stdout option: combined'),
  'an unknown stderr mode': rejected('TypeError', 'Invalid stderr option: inherit'),
  'combined with an ignored stdout': rejected('TypeError', 'stderr: "combined" requires stdout to be "pipe".'),
  'pty with stderr of its own': rejected('TypeError', 'stderr must be "combined" when PTY is enabled.'),
  'pty with an ignored stdout': rejected('TypeError', 'stdout must be "pipe" when PTY is enabled.'),
  'pty without columns': rejected('RangeError', 'PTY cols must be between 1 and 65535.'),
  'pty with too many rows': rejected('RangeError', 'PTY rows must be between 1 and 65535.'),
  'an aborted signal': rejected('RangeError', 'enough'),
  'an aborted signal, its reason no error': { rejected: { value: 'enough' } },
  'NUL in cwd': rejected('TypeError', "cwd cannot contain '\\0' characters."),
  'NUL in user': rejected('TypeError', "user cannot contain '\\0' characters."),
  'env that is no object': wrongField('env', 'object'),
  'an environment name with =': rejected('Error', "Environment variable names cannot contain '=': A=B"),
  'an environment name with NUL': rejected('Error', "Environment variable names cannot contain '\\0': A\0B"),
  'an environment value with NUL': rejected('Error', "Environment variable values cannot contain '\\0': A"),
  'a stdin that is another word': NO_STDIN,
  'a stdin that is bytes': NO_STDIN,
  'a stdin that someone reads': rejected('TypeError', 'This ReadableStream is currently locked to a reader.'),
}

about('exec, its rules', 'execRules', (ask) => {
  for (const [call, told] of Object.entries(EXCEPTIONS)) {
    it(`rejects ${call}`, async () => assert.deepEqual(await ask('bad', { call }), told))
  }

  it('starts nothing when it rejects', async () => assert.deepEqual(await ask('badStartsNothing'), []))

  it('looks first whether the container runs', async () => {
    for (const call of ['no arguments', 'an empty array', 'an unknown stdout mode', 'an aborted signal'])
      assert.deepEqual(await ask('badWhileStopped', { call }), notRunning)
  })

  it('looks at the modes, the signal, cwd, user, environment and stdin in this order', async () => {
    assert.deepEqual(await ask('order'), [
      'Invalid stdout option: x',
      'Invalid stderr option: x',
      'stderr: "combined" requires stdout to be "pipe".',
      'aborted',
      "cwd cannot contain '\\0' characters.",
      "user cannot contain '\\0' characters.",
      "Environment variable names cannot contain '=': =",
      'stdin must be a ReadableStream or the string "pipe".',
    ])
  })

  it('rejects where the container has ended', async () => assert.deepEqual(await ask('afterTheEnd'), notRunning))

  for (const [how, words] of Object.entries({
    missing: /no\/such\/program/,
    notOnPath: /no-such-program/,
    notExecutable: /\/etc\/passwd/,
    cwd: /\/no\/such\/folder/,
    cwdIsFile: /\/etc\/passwd/,
    user: /nobody-of-that-name.*no such user in \/etc\/passwd/,
    interpreter: /\/tmp\/script.*its interpreter/,
  })) {
    it(`rejects what cannot be started, and says which: ${how}`, async () => {
      const { rejected } = await ask('notStarted', { how })
      assert.equal(rejected?.name, 'Error')
      assert.match(rejected.message, words)
    })
  }

  for (const signal of ['0', '-1', '65']) {
    it(`throws a RangeError for kill(${signal}) and lets the process live`, async () => {
      assert.deepEqual(await ask('killOutOfRange', { signal }), {
        threw: { name: 'RangeError', message: 'Invalid signal number.' },
        exitCode: 137,
      })
    })
  }
})

about('exec, to the letter', 'execRules', (ask) => {
  it('gives a process with pid, output and exit code, and the platform’s names', async () => {
    const { pid, stdout, ...rest } = await ask('output')
    assert.ok(Number.isInteger(pid) && pid > 1, `pid ${pid}`)
    assert.match(stdout, /^v\d+\.\d+/)
    assert.deepEqual(rest, {
      exitCode: 0,
      buffers: [true, true],
      stderrBytes: 0,
      names: ['[object ExecProcess]', '[object ExecOutput]'],
      own: [],
    })
  })

  it('gives the arguments as they are, without a shell', async () => {
    const { stdout } = await ask('arguments')
    assert.equal(stdout, '[$HOME | cat][a "b" c][][zwei\nZeilen][ünï 🚢][*]')
  })

  it('tells the pid that the process sees itself', async () => assert.equal(await ask('pid'), true))

  it('resolves exitCode whatever it is, 128 + n for a signal', async () => {
    assert.deepEqual(await ask('exitCodes'), [0, 7, 255, 137, 143])
  })

  it('has one promise for exitCode', async () => assert.deepEqual(await ask('exitCodeIsOnePromise'), [true, true, 0]))

  it('resolves exitCode though nobody read the output, which can be read afterwards', async () => {
    assert.deepEqual(await ask('exitCodeUnread'), [3, 'out\n', 'err\n'])
  })

  it('runs in the image’s folder, or cwd, which may be below it', async () =>
    assert.deepEqual(await ask('cwd'), ['/srv\n', '/tmp\n', '/srv\n', '/tmp\n']))

  it('inherits the container’s environment, which env overrides for this process only', async () => {
    assert.deepEqual(await ask('env'), {
      FROM_IMAGE: 'image',
      FROM_START: 'start',
      OVERRIDDEN: 'exec',
      OWN: 'a=b c',
      EMPTY: '',
      id: true,
      after: 'start\n',
    })
  })

  it('runs as the image’s user, or a name or uid with its group or another', async () => {
    assert.deepEqual(await ask('user'), [
      '0:0',
      '1000:1000',
      '1000:1000',
      '1000:0',
      '1000:0',
      '12345:54321',
      '0:0',
      '0:0',
    ])
  })

  it('kills with TERM', async () => assert.equal(await ask('kill'), 143))
  it('kills with another signal', async () => assert.equal(await ask('kill', { signal: '9' }), 137))

  it('does not throw when it kills what is gone, but for a number out of range', async () => {
    assert.deepEqual(await ask('killAfterTheEnd'), [
      { resolved: 'undefined' },
      { threw: { name: 'RangeError', message: 'Invalid signal number.' } },
    ])
  })

  it('gives each signal to its process and not to the neighbour', async () => {
    assert.deepEqual(await ask('killEach'), {
      ready: ['ready', 'ready'],
      wrong: [],
      ends: [137, 137],
    })
  })

  it('gives signals in their order, STOP and KILL included', async () => {
    assert.deepEqual(await ask('killInOrder'), ['usr1', 137])
  })

  it('lets a process live that ignores TERM', async () => assert.deepEqual(await ask('ignoresTerm'), ['still here', 0]))

  it('kills with KILL when its signal is aborted', async () => assert.equal(await ask('abortLater'), 137))
  it('kills with KILL when its signal is aborted while it starts', async () =>
    assert.equal(await ask('abortAtOnce'), 137))
  it('tells a process when its reader stops reading', async () => {
    assert.deepEqual(await ask('stopsReading'), { ends: [141, 141], alive: [true, true] })
  })

  it('reaps what a process leaves behind', async () => assert.equal(await ask('orphans'), 'started\n'))

  it('takes a command as long as Linux does, and says of a longer one that it is', async () => {
    const tooLong =
      'exec() failed: cannot execute "sh": too long: Linux takes 128 KiB in one argument or variable, and about 2 MiB in all'
    const told = await ask('long')
    const [past, all, unheard] = told.refused
    assert.deepEqual(told.lengths, ['131000\n', '131000\n', '1800000\n', '60000\n'])
    assert.deepEqual([past, all], Array(2).fill({ rejected: { name: 'Error', message: tooLong } }))
    assert.deepEqual(unheard, { rejected: { name: 'Error', message: tooLong.replace('execute', 'read its command') } })
  })

  it('starts hundreds at once', async () => {
    assert.deepEqual(await ask('many', { count: '500' }), { wrong: [], others: [] })
  })

  it('starts in the turn of the container’s start', async () => {
    assert.deepEqual(await ask('rightAfterStart'), { exitCode: 0, stdout: 'hello\n', stderr: '' })
  })
})
