import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { LinkedProcess, SpawnError } from '../../../runtime/link/process.ts'
import { CommandFlag, Stream } from '../../../runtime/protocol/agent.ts'
import { WINDOW_BYTES } from '../../../runtime/protocol/frames.ts'

/** A process whose wire tells, as lines, what went over it. */
function setUp(flags: number = CommandFlag.STDIN) {
  const wire: string[] = []
  const process = new LinkedProcess(
    {
      data: (bytes) => wire.push(`data ${bytes.length}`),
      eof: () => wire.push('eof'),
      hangUp: (stream) => wire.push(`hangUp ${stream}`),
      credit: (stream, bytes) => wire.push(`credit ${stream} ${bytes}`),
      signal: (signal) => wire.push(`signal ${signal}`),
      resize: (cols, rows) => wire.push(`resize ${cols} ${rows}`),
      end: () => wire.push('end'),
      done: () => wire.push('done'),
    },
    { flags },
  )
  process.exit.catch(() => undefined)
  process.started.catch(() => undefined)
  return { process, wire }
}

/** Lets streams do what they do in the next turns. */
const turns = async (): Promise<void> => {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve))
}

async function read(stream: AsyncIterable<Buffer> | undefined): Promise<string> {
  let text = ''
  for await (const chunk of stream ?? []) text += chunk.toString()
  return text
}

describe('a process over the agent’s link', () => {
  it('has the streams that its command asks for', () => {
    const streams = (flags: number): string => {
      const { process } = setUp(flags)
      return [process.stdin && 'in', process.stdout && 'out', process.stderr && 'err'].filter(Boolean).join(' ')
    }
    assert.equal(streams(0), 'out err')
    assert.equal(streams(CommandFlag.STDIN), 'in out err')
    assert.equal(streams(CommandFlag.NO_STDOUT | CommandFlag.NO_STDERR), '')
    assert.equal(streams(CommandFlag.COMBINED), 'out')
    assert.equal(streams(CommandFlag.PTY), 'in out')
  })

  it('tells its pid, its output by stream, and its end', async () => {
    const { process, wire } = setUp()
    process.onStarted(48)
    process.onData(Stream.STDOUT, Buffer.from('one'))
    process.onData(Stream.STDERR, Buffer.from('two'))
    process.onExit(3, 0)
    process.onEof(Stream.STDOUT)
    process.onEof(Stream.STDERR)
    assert.equal(await process.started, 48)
    assert.deepEqual(await process.exit, { exitCode: 3, signal: undefined })
    assert.equal(await read(process.stdout), 'one')
    assert.equal(await read(process.stderr), 'two')
    assert.deepEqual(wire, ['done'])
  })

  it('ends although nobody reads, and is forgotten by the agent only after its last output', async () => {
    const { process, wire } = setUp()
    process.onStarted(1)
    process.onExit(137, 9)
    assert.deepEqual(await process.exit, { exitCode: 137, signal: 9 })
    process.onEof(Stream.STDOUT)
    assert.deepEqual(wire, [])
    process.onEof(Stream.STDERR)
    assert.deepEqual(wire, ['done'])
  })

  it('is not started where the agent says so, with errno and step', async () => {
    const { process } = setUp()
    process.onFailed(2, 2)
    await assert.rejects(
      process.started,
      (error) => error instanceof SpawnError && error.errno === 2 && error.step === 2,
    )
    await assert.rejects(process.exit, SpawnError)
  })

  it('grants more only for what was read, so that an unread stream stops its writer', async () => {
    const { process, wire } = setUp()
    const piece = Buffer.alloc(65_536)
    for (let sent = 0; sent < WINDOW_BYTES; sent += piece.length) process.onData(Stream.STDOUT, piece)
    await turns()
    const granted = (): number =>
      wire
        .filter((line) => line.startsWith(`credit ${Stream.STDOUT}`))
        .reduce((sum, line) => sum + Number(line.split(' ')[2]), 0)
    const before = granted()
    assert.ok(before <= WINDOW_BYTES)
    process.onData(Stream.STDERR, Buffer.from('still comes'))
    process.onEof(Stream.STDERR)
    assert.equal(await read(process.stderr), 'still comes')
    process.stdout?.resume()
    await turns()
    assert.ok(granted() > before - 1)
  })

  it('keeps to the window that it was granted, and stdin waits for more', async () => {
    const { process, wire } = setUp()
    let done = false
    process.stdin?.write(Buffer.alloc(WINDOW_BYTES + 10), () => {
      done = true
    })
    await turns()
    assert.deepEqual(wire, [`data ${WINDOW_BYTES}`])
    assert.equal(done, false)
    process.onCredit(65_536)
    await turns()
    assert.deepEqual(wire, [`data ${WINDOW_BYTES}`, 'data 10'])
    assert.equal(done, true)
  })

  it('is sent what was written at once as it came, many small pieces as one, and waits for the window in the middle', async () => {
    const { process, wire } = setUp()
    const write = (pieces: number, bytes: number): void => {
      process.stdin?.cork()
      for (let i = 0; i < pieces; i++) process.stdin?.write(Buffer.alloc(bytes))
      process.stdin?.uncork()
    }
    write(2, 8_192)
    write(300_000, 1)
    write(3, 300_000)
    assert.deepEqual(wire.splice(0), [
      'data 8192',
      'data 8192',
      'data 300000',
      'data 300000',
      'data 300000',
      'data 132192',
    ])
    process.stdin?.end()
    await turns()
    assert.deepEqual(wire.splice(0), [])
    process.onCredit(WINDOW_BYTES)
    await turns()
    assert.deepEqual(wire, ['data 167808', 'eof'])
  })

  it('reads the end of its stdin after the last byte', async () => {
    const { process, wire } = setUp()
    process.stdin?.end(Buffer.from('bye'))
    await turns()
    assert.deepEqual(wire, ['data 3', 'eof'])
  })

  it('goes on where its output is thrown away', async () => {
    const { process, wire } = setUp()
    process.stdout?.destroy()
    await turns()
    for (let i = 0; i < 64; i++) process.onData(Stream.STDOUT, Buffer.alloc(65_536))
    assert.ok(wire.length > 0)
  })

  it('settles everything with what happened where the container is gone', async () => {
    const { process } = setUp()
    process.onStarted(7)
    process.onGone(new Error('The container has ended.'))
    await assert.rejects(process.exit, /The container has ended/)
    await assert.rejects(read(process.stdout), /The container has ended/)
    assert.equal(process.stdin?.destroyed, true)
  })

  describe('whose link broke', () => {
    const counts = { stdin: 5, stdout: 3, stderr: 0, stdinOver: false }
    const broken = async () => {
      const { process, wire } = setUp()
      process.onStarted(7)
      process.onData(Stream.STDOUT, Buffer.from('abc'))
      process.stdin?.write('12345')
      process.onUnlinked()
      process.stdin?.end('6789')
      await turns()
      assert.deepEqual(wire.splice(0), ['data 5'])
      return { process, wire }
    }

    it('goes on where nothing was lost, and what waited goes then', async () => {
      const { process, wire } = await broken()
      process.onCounts(counts)
      await turns()
      assert.deepEqual(wire, ['data 4', 'eof'])
      process.onEof(Stream.STDOUT)
      process.onEof(Stream.STDERR)
      process.onExit(0, 0)
      assert.deepEqual([await read(process.stdout), (await process.exit).exitCode], ['abc', 0])
    })

    it('hears the end of its stdin again where that was lost, and only then', async () => {
      for (const [stdinOver, told] of [
        [false, ['eof']],
        [true, []],
      ] as const) {
        const { process, wire } = setUp()
        process.onStarted(7)
        process.stdin?.end()
        await turns()
        wire.splice(0)
        process.onUnlinked()
        process.onCounts({ stdin: 0, stdout: 0, stderr: 0, stdinOver })
        assert.deepEqual(wire, told)
      }
    })

    it('is ended and says so where bytes were lost, whichever way they went', async () => {
      for (const [lost, name] of [
        [{ stdin: 4 }, 'stdin'],
        [{ stdout: 4 }, 'stdout'],
        [{ stderr: 1 }, 'stderr'],
      ] as const) {
        const { process, wire } = await broken()
        process.onCounts({ ...counts, ...lost })
        assert.deepEqual(wire.slice(0, 2), ['end', 'done'])
        const message = new RegExp(`broke and bytes of ${name} were lost`)
        await assert.rejects(process.exit, message)
        await assert.rejects(read(process.stderr), message)
      }
    })

    it('goes on where only what nobody wants was lost', async () => {
      const { process } = await broken()
      process.stdout?.destroy()
      process.onCounts({ stdin: 0, stdout: 9, stderr: 0, stdinOver: true })
      process.onExit(0, 0)
      assert.equal((await process.exit).exitCode, 0)
    })
  })

  it('ends with all its kin until nothing of it is left', () => {
    const { process, wire } = setUp()
    process.endAll()
    process.onExit(0, 0)
    process.endAll()
    process.onEof(Stream.STDOUT)
    process.onEof(Stream.STDERR)
    process.endAll()
    assert.deepEqual(wire, ['end', 'end', 'done'])
  })

  it('sends signals and sizes until it has ended', () => {
    const { process, wire } = setUp(CommandFlag.PTY)
    process.kill(15)
    process.resize(80, 24)
    process.onExit(0, 0)
    process.kill(9)
    process.resize(1, 1)
    assert.deepEqual(wire, ['signal 15', 'resize 80 24'])
  })
})
