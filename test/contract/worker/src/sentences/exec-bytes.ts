import type { PlainObject } from '../plain.ts'
import { READERS } from '../readers.ts'
import { digest, idle, lines, made, pattern, run, text } from '../run.ts'
import { outcome, pending, tell } from '../tell.ts'
import type { Sentences } from './index.ts'

const MiB = 1_048_576
const encoder = new TextEncoder()

/** A stream of each kind that a Worker may have, with the same three words in it. */
const SOURCES: Record<string, (o: PlainObject) => ReadableStream | Promise<ReadableStream>> = {
  'of a response': () => new Response('one two three').body as ReadableStream,
  'of a blob': () => new Blob(['one two three']).stream(),
  'made by the Worker': () => made('one ', 'two ', 'three'),
  'that takes its time': () => {
    const words = ['one ', 'two ', 'three']
    return new ReadableStream({
      async pull(controller) {
        await scheduler.wait(5)
        const word = words.shift()
        if (word === undefined) controller.close()
        else controller.enqueue(encoder.encode(word))
      },
    })
  },
  'of bytes': () => {
    const words = ['one ', 'two ', 'three']
    return new ReadableStream({
      type: 'bytes',
      pull(controller) {
        const word = words.shift()
        if (word !== undefined) controller.enqueue(encoder.encode(word))
        else {
          controller.close()
          controller.byobRequest?.respond(0)
        }
      },
    })
  },
  'of an identity stream': () => {
    const { readable, writable } = new IdentityTransformStream()
    const writer = writable.getWriter()
    const write = async () => {
      for (const word of ['one ', 'two ', 'three']) await writer.write(encoder.encode(word))
      await writer.close()
    }
    write().catch(() => {})
    return readable
  },
  'of another process': async (o) =>
    (await o.container.exec(['printf', 'one two three'])).stdout as unknown as ReadableStream,
}

export const execBytes: Sentences = {
  async modes(o) {
    idle(o)
    const both = ['sh', '-c', 'echo out; echo err >&2']
    const told: Record<string, unknown> = {}
    const options: ContainerExecOptions[] = [
      {},
      { stdin: 'pipe' },
      { stdin: new Response('x').body as ReadableStream },
      { stdout: 'ignore' },
      { stderr: 'ignore' },
      { stdout: 'ignore', stderr: 'ignore' },
      { stderr: 'combined' },
    ]
    for (const one of options) {
      const process = await o.container.exec(both, one)
      const { stdin, stdout, stderr } = process
      const there = Object.entries({ stdin, stdout, stderr }).map(([name, stream]) => (stream === null ? '-' : name))
      const output = await process.output()
      const said = [output.stdout, output.stderr].map((bytes) =>
        new TextDecoder().decode(bytes).split('\n').sort().join(' '),
      )
      const key = Object.entries(one).map(([name, value]) => `${name}:${typeof value === 'string' ? value : 'stream'}`)
      told[key.join() || 'default'] = [...there, ...said].join('|')
    }
    return told
  },

  /** `??` and `!` must treat them as they treat the platform's undefined. */
  async absent(o) {
    idle(o)
    const { stdin, stdout, stderr } = await o.container.exec(['true'], { stdout: 'ignore', stderr: 'ignore' })
    return [stdin, stdout, stderr].map((stream) => [stream ?? 'none', !stream])
  },

  async eofWithoutStdin(o) {
    idle(o)
    return run(o, ['cat'])
  },

  async stdinPipe(o) {
    idle(o)
    const process = await o.container.exec(['cat'], { stdin: 'pipe' })
    const writer = (process.stdin as WritableStream).getWriter()
    const heard = lines(process.stdout)
    const said = []
    for (const word of ['one', 'two', 'three']) {
      await writer.write(encoder.encode(`${word}\n`))
      said.push(await heard.next())
    }
    await writer.close()
    return [...said, await heard.next(), await process.exitCode].map((value) => value ?? 'end')
  },

  async stdinStream(o, { kind = '' }) {
    idle(o)
    const stdin = await SOURCES[kind]?.(o)
    return run(o, ['sh', '-c', 'cat; echo " end"'], { stdin: stdin as ReadableStream })
  },

  async pipeToStdin(o, { kind = '' }) {
    idle(o)
    const process = await o.container.exec(['sh', '-c', 'cat; echo " end"'], { stdin: 'pipe' })
    const piped = (await SOURCES[kind]?.(o))?.pipeTo(process.stdin as WritableStream)
    const { stdout } = await process.output()
    await piped
    return new TextDecoder().decode(stdout)
  },

  async stdinBreaksOff(o) {
    idle(o)
    const stdin = new ReadableStream({
      pull(controller) {
        controller.error(new Error('there is no more'))
      },
    })
    return (await o.container.exec(['cat'], { stdin })).exitCode
  },

  async halfClose(o) {
    idle(o)
    const process = await o.container.exec(['sh', '-c', 'cat > /dev/null; echo eof; head -c 500000 /dev/zero'], {
      stdin: 'pipe',
    })
    await (process.stdin as WritableStream).close()
    return [(await text(process.stdout)).length, await process.exitCode]
  },

  async bytes(o, { mib }) {
    idle(o)
    const sent = pattern(Number(mib) * MiB + 12_345)
    const process = await o.container.exec(['cat'], { stdin: 'pipe' })
    const writer = (process.stdin as WritableStream).getWriter()
    const write = async () => {
      for (let at = 0, size = 1; at < sent.length; at += size, size = (size * 3) % 300_007)
        await writer.write(sent.subarray(at, at + size))
      await writer.close()
    }
    const [output] = await Promise.all([process.output(), write()])
    return [output.exitCode, (await digest(output.stdout)) === (await digest(sent))]
  },

  async read(o, { how = '' }) {
    idle(o)
    const process = await o.container.exec(['sh', '-c', 'seq 1 100000'])
    const bytes = await READERS[how]?.(process.stdout as ReadableStream)
    const end = new TextDecoder().decode(bytes).split('\n').slice(-2)
    return [bytes?.byteLength, ...end]
  },

  /** stdout stops its writer at the pipe; stderr, the other processes and the end of what has ended go on. */
  async independent(o) {
    idle(o)
    const script = `(head -c 8000000 /dev/zero; echo stdout is done >&2) &
      i=0; while [ $i -lt 15 ]; do i=$((i+1)); echo line $i >&2; done; wait`
    const process = await o.container.exec(['sh', '-c', script])
    const errors = lines(process.stderr)
    const heard = []
    for (let i = 0; i < 15; i++) heard.push(await errors.next())
    const other = await run(o, ['echo', 'other'])
    const last = errors.next()
    const waits = await pending(last, 200)
    const bytes = (await new Response(process.stdout).arrayBuffer()).byteLength
    return {
      heard: heard.length,
      other: other.stdout,
      waits,
      bytes,
      last: await last,
      exitCode: await process.exitCode,
    }
  },

  async bothAtOnce(o, { mib }) {
    idle(o)
    const bytes = Number(mib) * MiB
    const process = await o.container.exec([
      'sh',
      '-c',
      `head -c ${bytes} /dev/zero & head -c ${bytes} /dev/zero >&2; wait`,
    ])
    const { stdout, stderr, exitCode } = await process.output()
    return [stdout.byteLength - bytes, stderr.byteLength - bytes, exitCode]
  },

  async cancel(o) {
    idle(o)
    const process = await o.container.exec(['sh', '-c', 'head -c 5000000 /dev/zero; echo done >&2'])
    const stdout = process.stdout as ReadableStream
    const reader = stdout.getReader()
    await reader.read()
    await reader.cancel('enough')
    return [await text(process.stderr), await process.exitCode]
  },

  async cancelUnread(o) {
    idle(o)
    const process = await o.container.exec(['sh', '-c', 'head -c 5000000 /dev/zero; echo done >&2'])
    await process.stdout?.cancel()
    return [await text(process.stderr), await process.exitCode]
  },

  /** Written to while it ends: whoever writes hears of it, and nothing falls over. */
  async brokenStdin(o) {
    idle(o)
    const process = await o.container.exec(['sh', '-c', 'read line; exit 4'], { stdin: 'pipe' })
    const writer = (process.stdin as WritableStream).getWriter()
    const closed = writer.closed.then(() => 'closed', tell)
    const writing = (async () => {
      await writer.write(encoder.encode('go\n'))
      for (;;) await writer.write(new Uint8Array(65_536))
    })()
    return [await writing.catch(tell), await closed, await process.exitCode]
  },

  async writesAfterTheEnd(o) {
    idle(o)
    const process = await o.container.exec(['true'], { stdin: 'pipe' })
    await process.exitCode
    const writer = (process.stdin as WritableStream).getWriter()
    writer.closed.catch(() => {})
    // Nobody looks at what comes of them.
    void writer.write(new Uint8Array(65_536)).catch(() => {})
    void writer.close().catch(() => {})
    return run(o, ['echo', 'still fine'])
  },

  async writesAfterTheEndTold(o) {
    idle(o)
    const process = await o.container.exec(['true'], { stdin: 'pipe' })
    await process.exitCode
    const writer = (process.stdin as WritableStream).getWriter()
    const write = () => outcome(() => writer.write(encoder.encode('x')))
    return [await write(), await write(), await outcome(() => writer.close())]
  },

  async abortedStdin(o) {
    idle(o)
    const process = await o.container.exec(['sh', '-c', 'cat; echo " end"'], { stdin: 'pipe' })
    const writer = (process.stdin as WritableStream).getWriter()
    const closed = writer.closed.then(() => 'closed', String)
    await writer.write(encoder.encode('hi'))
    await writer.abort('why')
    const { exitCode, stdout, stderr } = await process.output()
    const decoder = new TextDecoder()
    return [{ exitCode, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) }, ['aborted', await closed]]
  },

  async outputTwice(o) {
    idle(o)
    const process = await o.container.exec(['echo', 'x'])
    await process.output()
    return outcome(() => process.output())
  },

  async outputAfterReading(o, { stream = '' }) {
    idle(o)
    const process = await o.container.exec(['sh', '-c', 'echo out; echo err >&2'])
    const reader = (process[stream as 'stdout' | 'stderr'] as ReadableStream).getReader()
    await reader.read()
    reader.releaseLock()
    return outcome(() => process.output())
  },

  async outputTakesTheStreams(o) {
    idle(o)
    const process = await o.container.exec(['echo', 'x'])
    const output = process.output()
    const told = await outcome(() => process.stdout?.getReader())
    await output
    return 'threw' in told
  },

  async pipeline(o) {
    idle(o)
    const one = await o.container.exec(['seq', '1', '50000'])
    const two = await o.container.exec(['wc', '-l'], { stdin: 'pipe' })
    const [count] = await Promise.all([text(two.stdout), one.stdout?.pipeTo(two.stdin as WritableStream)])
    return count.trim()
  },
}
