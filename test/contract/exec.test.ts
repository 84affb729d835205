import assert from 'node:assert/strict'
import { it } from 'node:test'
import { about } from '../support/contract/object.ts'

/** What exec() refuses: what is wrong, command and options, and the error's name. */
const REFUSED: readonly [what: string, cmd: unknown, options: unknown, name: string][] = [
  ['a command that is no array', 'ls', {}, 'TypeError'],
  ['a command that is empty', [], {}, 'TypeError'],
  ['a stdout mode that is unknown', ['true'], { stdout: 'inherit' }, 'TypeError'],
  ['a stderr mode that is unknown', ['true'], { stderr: 'inherit' }, 'TypeError'],
  ['stderr "combined" with stdout "ignore"', ['true'], { stdout: 'ignore', stderr: 'combined' }, 'TypeError'],
  ['stderr "pipe" with a PTY', ['true'], { pty: true, stderr: 'pipe' }, 'TypeError'],
  ['NUL in cwd', ['true'], { cwd: '/t\0mp' }, 'TypeError'],
  ['NUL in user', ['true'], { user: 'ro\0ot' }, 'TypeError'],
  ['an environment name with =', ['true'], { env: { 'A=B': 'x' } }, 'Error'],
  ['an environment name with NUL', ['true'], { env: { 'A\0': 'x' } }, 'Error'],
  ['an environment value with NUL', ['true'], { env: { A: 'x\0' } }, 'Error'],
  ['an executable that is not there', ['/no/such/program'], {}, 'Error'],
  ['a file that is not executable', ['/etc/passwd'], {}, 'Error'],
  ['a folder that is not there', ['true'], { cwd: '/no/such/folder' }, 'Error'],
  ['a user who is not there', ['true'], { user: 'nobody-of-that-name' }, 'Error'],
]

/** Where the error has to say which it was. */
const NAMES_IT: Readonly<Record<string, RegExp>> = {
  'an executable that is not there': /\/no\/such\/program/,
  'a file that is not executable': /\/etc\/passwd/,
  'a folder that is not there': /\/no\/such\/folder/,
  'a user who is not there': /nobody-of-that-name/,
}

about('exec', 'exec', (ask, together) => {
  it('rejects with an Error where the container is not running, before it looks at the command', async () => {
    const { rejected } = await ask('notRunning')
    assert.equal(rejected?.name, 'Error')
  })

  for (const [what, cmd, options, name] of REFUSED) {
    it(`rejects with a${name === 'Error' ? 'n' : ''} ${name} for ${what}`, async () => {
      const args = { cmd: JSON.stringify(cmd), options: JSON.stringify(options) }
      const { rejected } = await together('refuses', args)
      assert.equal(rejected?.name, name)
      const named = NAMES_IT[what]
      if (named) assert.match(rejected.message, named)
    })
  }

  it('rejects for a stdin that is neither a stream nor "pipe"', async () => {
    assert.equal((await together('badStdin')).rejected?.name, 'TypeError')
  })

  it('gives both outputs and the exit code', async () => {
    assert.deepEqual(await together('shell'), { stdout: 'out\n', stderr: 'err\n', exitCode: 3 })
  })

  it('starts no shell', async () => {
    assert.equal((await together('noShell')).stdout, '$HOME * | cat > /tmp/x\n')
  })

  it('gives arguments as they are', async () => {
    const { stdout } = await together('oddArguments')
    assert.equal(stdout, '["","two words","naïve ✓","-x"]\n')
  })

  it('runs in the image’s folder, or in cwd', async () => {
    assert.equal((await together('ownCwd')).stdout, '/srv\n')
    assert.equal((await together('cwd')).stdout, '/tmp\n')
  })

  it('runs as the user by name, by uid and by uid:gid', async () => {
    assert.equal(await together('user', { user: 'node' }), '1000\n')
    assert.equal(await together('user', { user: '1234' }), '1234\n')
    assert.equal(await together('group', { user: '1234:4321' }), '4321\n')
  })

  it('inherits the container’s environment, and env overrides it', async () => {
    assert.deepEqual(await ask('environment'), [
      'FROM_IMAGE=image',
      'FROM_START=start',
      'CHANGED=exec',
      'ADDED=exec',
      'CLOUDFLARE_DURABLE_OBJECT_ID=<id>',
    ])
  })

  it('tells the pid inside the container', async () => {
    assert.deepEqual(await together('pidIsItsOwn'), { same: true, isNumber: true })
  })

  it('runs several commands in turn, and many at once', async () => {
    assert.equal((await together('inTurn')).stdout, 'one\ntwo\n')
    assert.equal(await together('many'), true)
  })
})

about('ExecProcess.exitCode', 'exec', (ask, together) => {
  for (const code of [0, 1, 255]) {
    it(`resolves with ${code}`, async () => {
      assert.equal(await together('exitCode', { code: String(code) }), code)
    })
  }

  it('is one promise, the same each time', async () => {
    assert.deepEqual(await together('exitCodeIsOne'), { same: true, first: 5, later: 5 })
  })

  it('is pending while the process runs', async () => {
    assert.equal(await together('runsOn'), true)
  })

  it('is 128 + n for a signal n', async () => {
    assert.equal(await together('exitCodeOfASignal'), 137)
  })

  it('settles though the output was never read', async () => {
    assert.equal(await together('exitCodeWithUnreadOutput'), 4)
    assert.equal(await together('unreadOutput'), 0)
  })

  it('rejects when the container is destroyed meanwhile', async () => {
    assert.equal(await ask('destroyedMeanwhile'), true)
  })

  it('settles when the container ends by itself', async () => {
    assert.equal(await ask('endsWithItsContainer'), false)
  })
})

about('ExecProcess.kill', 'exec', (_ask, together) => {
  it('sends TERM by default', async () => {
    assert.equal(await together('killByDefault'), 143)
  })

  it('sends a signal that the process may handle', async () => {
    assert.equal(await together('killIsHandled'), 7)
  })

  for (const number of ['0', '-1', '65']) {
    it(`throws a RangeError for ${number}`, async () => {
      assert.equal((await together('killNumber', { number })).threw?.name, 'RangeError')
    })
  }

  it('does not throw for a process that is gone', async () => {
    assert.deepEqual(await together('killOneThatIsGone'), { resolved: 'undefined' })
  })
})

about('ExecProcess.output', 'exec', (_ask, together) => {
  it('rejects with a TypeError the second time', async () => {
    assert.equal((await together('outputTwice')).rejected?.name, 'TypeError')
  })

  for (const stream of ['stdout', 'stderr']) {
    it(`rejects with a TypeError that names ${stream} after it was read`, async () => {
      const { rejected } = await together('outputAfterReading', { stream })
      assert.equal(rejected?.name, 'TypeError')
      assert.match(rejected.message, new RegExp(stream))
    })
  }

  it('is empty for what is ignored, whose streams are null', async () => {
    assert.deepEqual(await together('ignored'), { streams: [true, true, 'none'], sizes: [0, 0], exitCode: 2 })
  })

  it('has both in stdout with stderr "combined"', async () => {
    assert.deepEqual(await together('combined'), { stderr: 'none', lines: ['err', 'out'], errBytes: 0 })
  })
})

about('exec with a signal', 'exec', (_ask, together) => {
  it('rejects with the reason of one that is aborted before', async () => {
    assert.equal((await together('signalBefore')).rejected?.message, 'not now')
  })

  it('kills the process when it is aborted later', async () => {
    assert.equal(await together('signalLater'), 137)
  })
})

about('the streams of an exec', 'exec', (_ask, together) => {
  it('end stdin at once where it is omitted', async () => {
    assert.deepEqual(await together('stdinOmitted'), { stdin: 'none', size: 0, exitCode: 0 })
  })

  it('take stdin through the returned stream with "pipe"', async () => {
    assert.equal(await together('stdinPipe'), 'one two')
  })

  it('carry a conversation', async () => {
    assert.deepEqual(await together('conversation'), { heard: 'hello', done: true, exitCode: 0 })
  })

  it('take stdin from a stream, small or large', async () => {
    assert.equal(await together('stdinStream'), 'from a stream')
    assert.equal(await together('stdinLarge'), 8 << 20)
  })

  it('do not hang where the process does not read its stdin', async () => {
    assert.equal(await together('stdinUnread'), true)
  })

  it('carry any bytes', async () => {
    assert.deepEqual(await together('binary'), [0, 255, 10, 13])
  })

  it('carry two large outputs at once', async () => {
    assert.deepEqual(await together('large'), { sizes: [16 << 20, 16 << 20], exitCode: 0 })
  })

  it('are independent: an unread stdout stops only its writer', async () => {
    assert.deepEqual(await together('independent'), { heard: '1\n2\n3\n', other: 'beside\n' })
  })

  it('can be given to another process', async () => {
    assert.equal(await together('piped'), 'THROUGH TWO PROCESSES\n')
  })
})

about('exec with a PTY', 'exec', (_ask, together) => {
  it('is one raw stream of 80x24, with stdin piped', async () => {
    assert.deepEqual(await together('pty'), { isPty: true, stderr: 'none', stdin: true, shown: '24 80\r\nerr\r\n' })
  })

  it('has the size it is given from the first instruction', async () => {
    assert.equal(await together('ptySize'), '50 132\r\n')
  })

  it('resizes', async () => {
    assert.equal(await together('resize'), '30 100')
  })

  it('throws a RangeError for a size out of range', async () => {
    assert.deepEqual(await together('resizeOutOfRange'), ['RangeError', 'RangeError', 'RangeError'])
  })

  it('throws a TypeError for resize() without one', async () => {
    const { isPty, resized } = await together('withoutPty')
    assert.equal(isPty, false)
    assert.equal(resized.threw?.name, 'TypeError')
  })

  it('interrupts the process on control-C', async () => {
    assert.equal(await together('interrupts'), 130)
  })
})
