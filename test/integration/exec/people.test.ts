import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { Latch } from '../../../runtime/base/latch.ts'
import type { ProcessModel } from '../../../runtime/index.ts'
import { root } from '../../support/root.mjs'
import { type Box, type Running, run } from '../../support/session.ts'

let running: Running
let box: Box

before(async () => {
  running = await run('box')
  box = running.box('alice')
  await box.start()
})
after(() => running[Symbol.asyncDispose]())

/** What `moorage exec` says and ends with. */
async function moorage(
  args: readonly string[],
  input?: Buffer | string,
): Promise<{ code: number; out: string; err: string }> {
  const child = command(args)
  const [out, err] = [collect(child.stdout), collect(child.stderr)]
  child.stdin?.end(input ?? '')
  const [code] = (await once(child, 'close')) as [number]
  return { code, out: (await out).toString(), err: (await err).toString() }
}

function command(args: readonly string[]): ChildProcess {
  return spawn(process.execPath, [join(root, 'dist', 'cli.js'), 'exec', ...args], { cwd: running.folder })
}

async function collect(stream: NodeJS.ReadableStream | null): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** Opens a process through the front door and gives all that it writes. */
async function opened(argv: readonly string[], more: object = {}) {
  const heard: Record<'stdout' | 'stderr', string> = { stdout: '', stderr: '' }
  const process = await running.session.object(box.key).exec({
    argv,
    onOutput: (stream, bytes) => {
      heard[stream] += Buffer.from(bytes).toString()
    },
    ...more,
  })
  return { process, heard }
}

describe('a process that a person opens through the front door', () => {
  it('is heard on stdout and stderr apart, typed into, and ends with its exit code', async () => {
    const { process, heard } = await opened(['sh', '-c', 'cat; echo oops >&2; exit 7'])
    await process.write(Buffer.from('hello'))
    await process.end()
    const end = await process.ended
    assert.equal(end.exitCode, 7)
    assert.deepEqual(heard, { stdout: 'hello', stderr: 'oops\n' })
  })

  it('has a terminal of the size asked for, and of the one it is changed to', async () => {
    const first = new Latch()
    const heard: string[] = []
    const process = await running.session.object(box.key).exec({
      argv: ['sh', '-c', 'stty size; read line; stty size'],
      tty: { cols: 100, rows: 30 },
      onOutput: (_, bytes) => {
        heard.push(Buffer.from(bytes).toString())
        first.resolve()
      },
    })
    await first.promise
    await process.resize(80, 24)
    await process.write(Buffer.from('\n'))
    await process.ended
    assert.match(heard.join(''), /^30 100\r\n[\s\S]*24 80\r\n$/)
  })

  it('reads the end of a terminal after a line and in the middle of one', async () => {
    for (const typed of ['', 'abc', 'abc\n', 'abc\r']) {
      const { process, heard } = await opened(['sh', '-c', 'stty -echo; echo up; wc -c'], {
        tty: { cols: 80, rows: 24 },
      })
      while (!heard.stdout.includes('up')) await new Promise((resolve) => setTimeout(resolve, 10))
      await process.write(Buffer.from(typed))
      await process.end()
      await process.ended
      assert.match(heard.stdout, new RegExp(`up\\r\\n\\s*${typed.length}\\r\\n$`))
    }
  })

  it('is ended by a signal, which its end names', async () => {
    const { process } = await opened(['sleep', '1000'])
    await process.signal(15)
    const { exitCode, signal } = await process.ended
    assert.deepEqual({ exitCode, signal }, { exitCode: 143, signal: 15 })
  })

  it('is part of the model, with who started it and how it ended, and no value of its environment', async () => {
    const { process } = await opened(['true'], { env: { SECRET: 'swordfish' }, cwd: '/tmp', user: 'root' })
    await process.ended
    const model = running.session.model.processes.find(({ id }) => id === process.id) as ProcessModel
    const { command, cwd, user, by, terminal, pid, end } = model
    assert.deepEqual(
      { command, cwd, user, by, terminal, exitCode: end?.exitCode },
      { command: ['true'], cwd: '/tmp', user: 'root', by: 'person', terminal: false, exitCode: 0 },
    )
    assert.equal(pid, process.pid)
    assert.ok(!JSON.stringify(running.events.all).includes('swordfish'))
  })

  it('is told with all the bytes that it wrote, those of its children after its end too', async () => {
    const told = running.events.next(
      'all of its bytes',
      (event) => event.type === 'process' && event.process.bytesOut === 3_000_000,
    )
    const { process } = await opened(['sh', '-c', '(sleep 0.3; head -c 3000000 /dev/zero) & exit 0'])
    assert.equal((await process.ended).exitCode, 0)
    await told
    assert.equal(running.session.model.processes.find(({ id }) => id === process.id)?.bytesOut, 3_000_000)
  })

  it('keeps its output, which can be read afterwards', async () => {
    const { process } = await opened(['sh', '-c', 'echo one; echo two >&2'])
    await process.ended
    const kept = await running.session.process(process.id).output()
    const parts = [...kept.head, ...kept.tail].map(({ stream, bytes }) => `${stream} ${Buffer.from(bytes)}`)
    assert.deepEqual(parts.sort(), ['stderr two\n', 'stdout one\n'])
  })

  it('keeps the beginning and the end of more than it can keep', async () => {
    const { process } = await opened(['sh', '-c', 'echo first; head -c 20000000 /dev/zero; echo last'])
    await process.ended
    const { head, tail, lostBytes } = await running.session.process(process.id).output()
    assert.ok(
      Buffer.from(head[0]?.bytes ?? [])
        .toString()
        .startsWith('first\n'),
    )
    assert.ok(
      Buffer.from(tail.at(-1)?.bytes ?? [])
        .toString()
        .endsWith('last\n'),
    )
    const kept = [...head, ...tail].reduce((sum, { bytes }) => sum + bytes.length, 0)
    assert.equal(kept + lostBytes, 20_000_000 + 'first\nlast\n'.length)
  })

  it('is heard by all who ask, each until he has enough, and by its opener all the time', async () => {
    const { process, heard } = await opened(['cat'])
    const { output } = running.session.process(process.id)
    const follow = async () => {
      const said: string[] = []
      const { close } = await output((_, bytes) => said.push(Buffer.from(bytes).toString()))
      return { said, close }
    }
    const [first, second] = [await follow(), await follow()]
    const type = async (word: string): Promise<void> => {
      await process.write(Buffer.from(word))
      while (!heard.stdout.endsWith(word)) await new Promise((resolve) => setTimeout(resolve, 10))
    }
    await type('one ')
    first.close()
    await type('two ')
    second.close()
    await type('three')
    await process.end()
    await process.ended
    assert.deepEqual([first.said.join(''), second.said.join(''), heard.stdout], ['one ', 'one two ', 'one two three'])
  })

  it('is not slowed by who follows it, and its follower misses nothing that the opener takes', async () => {
    let opener = 0
    const process = await running.session.object(box.key).exec({
      argv: ['sh', '-c', 'read go; head -c 20000000 /dev/zero'],
      onOutput: (_, bytes) => {
        opener += bytes.length
      },
    })
    let follower = 0
    const close = await running.session.process(process.id).output((_, bytes, lostBytes) => {
      follower += bytes.length + lostBytes
    })
    await process.write(Buffer.from('\n'))
    await process.ended
    close.close()
    assert.deepEqual([opener, follower], [20_000_000, 20_000_000])
  })

  it('is refused with the reason where it cannot be started', async () => {
    await assert.rejects(opened(['no-such-program']), {
      code: 'executable-not-found',
      message: /no-such-program.*no such file/,
    })
    await assert.rejects(opened(['true'], { cwd: '/nowhere' }), { message: /nowhere.*no such file/ })
    await assert.rejects(opened(['true'], { user: 'nobody-at-all' }), { message: /nobody-at-all/ })
    const failed = await running.events.next(
      'the failed start',
      (event) => event.type === 'process' && event.process.command[0] === 'no-such-program' && event.process.end,
    )
    assert.match(failed.lost ?? '', /no-such-program.*no such file/)
  })

  it('is refused what makes no sense, before anything is asked of it', async () => {
    const code = { code: 'invalid-argument' }
    const { process } = await opened(['sleep', '1000'], { tty: { cols: 80, rows: 24 } })
    for (const signal of [0, 65, 1.5]) await assert.rejects(process.signal(signal), code)
    for (const [cols, rows] of [
      [0, 0],
      [70_000, 5],
    ] as const)
      await assert.rejects(process.resize(cols, rows), code)
    await process.signal(9)
    await process.ended
    await assert.rejects(process.write(Buffer.from('x')), { ...code, message: /stdin is closed/ })
    await assert.rejects(opened(['a\0b']), code)
    await assert.rejects(opened(['true'], { env: { 'A=B': 'x' } }), code)
    await assert.rejects(opened(['true'], { env: { A: 'x\0' } }), code)
    await assert.rejects(opened(['true'], { tty: { cols: 0, rows: 0 } }), code)
  })

  it('is run by the image’s user where none is named, and the model says who', async () => {
    const { process, heard } = await opened(['id', '-un'], { user: '' })
    await process.ended
    const model = running.session.model.processes.find(({ id }) => id === process.id)
    assert.equal(model?.user, heard.stdout.trim())
  })
})

describe('moorage exec', () => {
  it('passes stdin, stdout, stderr and the exit code on', async () => {
    const { code, out, err } = await moorage(['alice', '--', 'sh', '-c', 'cat; echo oops >&2; exit 4'], 'hello')
    assert.deepEqual({ code, out, err }, { code: 4, out: 'hello', err: 'oops\n' })
  })

  it('takes user, folder and environment', async () => {
    const { out } = await moorage([
      'Box/alice',
      '-u',
      '0',
      '-w',
      '/tmp',
      '-e',
      'A=b',
      '--',
      'sh',
      '-c',
      'id -u; pwd; echo $A',
    ])
    assert.equal(out, '0\n/tmp\nb\n')
  })

  it('moves bytes exactly, in both directions', async () => {
    const input = Buffer.alloc(3_000_000, 'moorage')
    const child = command(['alice', '--', 'cat'])
    const out = collect(child.stdout)
    child.stdin?.end(input)
    assert.ok(input.equals(await out))
  })

  it('warns of nothing where its reader is slow', async () => {
    const child = command(['alice', '--', 'seq', '1', '2000000'])
    const err = collect(child.stderr)
    child.stdin?.end()
    const [first] = (await once(child.stdout as NodeJS.ReadableStream, 'data')) as [Buffer]
    child.stdout?.pause()
    await running.events.next(
      'the process',
      (event) =>
        event.type === 'process' && event.process.command[2] === '2000000' && event.process.bytesOut > 1_000_000,
    )
    const bytes = first.length + (await collect(child.stdout)).length
    assert.deepEqual({ bytes, err: (await err).toString() }, { bytes: 14_888_896, err: '' })
  })

  it('opens a shell where no command is given', async () => {
    const { code, out } = await moorage(['alice'], 'echo in a shell; exit 3\n')
    assert.deepEqual({ code, out }, { code: 3, out: 'in a shell\n' })
  })

  it('sends a signal on that it gets itself', async () => {
    const child = command([
      'alice',
      '--',
      'sh',
      '-c',
      'trap "echo caught; exit 9" TERM; echo ready; while :; do sleep 0.1; done',
    ])
    const [chunk] = (await once(child.stdout as NodeJS.ReadableStream, 'data')) as [Buffer]
    assert.equal(chunk.toString(), 'ready\n')
    const rest = collect(child.stdout)
    child.kill('SIGTERM')
    const [code] = await once(child, 'close')
    assert.deepEqual({ code, rest: (await rest).toString() }, { code: 9, rest: 'caught\n' })
  })

  it('ends its process without a word where its reader has gone, with 141 as a shell tells it', async () => {
    const child = command(['alice', '--', 'yes', 'no reader'])
    const err = collect(child.stderr)
    await once(child.stdout as NodeJS.ReadableStream, 'data')
    child.stdout?.destroy()
    const [code] = await once(child, 'close')
    assert.deepEqual({ code, err: (await err).toString() }, { code: 141, err: '' })
    await running.events.next(
      'the end of its process',
      (event) => event.type === 'process' && event.process.command[1] === 'no reader' && event.process.end,
    )
  })

  it('says that its output could not be written', async () => {
    const full = await open('/dev/full', 'w')
    const child = spawn(process.execPath, [join(root, 'dist', 'cli.js'), 'exec', 'alice', '--', 'echo', 'hello'], {
      cwd: running.folder,
      stdio: ['ignore', full.fd, 'pipe'],
    })
    const err = collect(child.stderr)
    const [code] = await once(child, 'close')
    await full.close()
    const said = 'The output could not be written: no space left on device.\n'
    assert.deepEqual({ code, err: (await err).toString() }, { code: 1, err: said })
  })

  it('says which objects there are where it does not know one, and ends with 125', async () => {
    const { code, err } = await moorage(['nobody', '--', 'true'])
    assert.deepEqual({ code, err }, { code: 125, err: 'There is no object "nobody".\n  There are: Box/alice\n' })
  })

  it('says why the container ended under its process, and ends with 137', async () => {
    await running.box('bob').start()
    const from = running.events.now
    const child = command(['bob', '--', 'sleep', '4712'])
    const err = collect(child.stderr)
    await running.events.next(
      'the process',
      (event) => event.type === 'process' && event.process.command[1] === '4712',
      from,
    )
    await running.session.object(running.box('bob').key).destroy()
    const [code] = await once(child, 'close')
    assert.deepEqual({ code, err: (await err).toString() }, { code: 137, err: 'Destroyed by you.\n' })
    const lost = running.session.model.processes.find((one) => one.command[1] === '4712')?.end?.lost
    assert.equal(lost, 'Destroyed by you.')
  })

  it('ends what it started when its terminal goes', async () => {
    const child = command(['alice', '--', 'sleep', '4711'])
    await running.events.next('the process', (event) => event.type === 'process' && event.process.command[1] === '4711')
    child.kill('SIGKILL')
    const end = await running.events.next(
      'its end',
      (event) => event.type === 'process' && event.process.command[1] === '4711' && event.process.end,
    )
    assert.equal(end.signal, 9)
  })

  it('ends also what that started, other groups of its session included', async () => {
    const child = command(['alice', '--', 'sh', '-c', 'sleep 4712 & set -m; sleep 4713 & echo up; sleep 4714'])
    await once(child.stdout as NodeJS.ReadableStream, 'data')
    child.kill('SIGKILL')
    // The pattern does not match itself.
    const script = 'while grep -qa "sleep.471[234]" /proc/[0-9]*/cmdline; do sleep 0.1; done'
    const { process } = await opened(['sh', '-c', script])
    assert.equal((await process.ended).exitCode, 0)
  })
})
