import type { PlainObject } from '../plain.ts'
import { outcome } from '../tell.ts'
import type { Sentences } from './index.ts'

const MIB = 1 << 20

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const text = (buffer: ArrayBuffer): string => new TextDecoder().decode(buffer)

/** Starts `cat`, whose stdin is a pipe. */
async function cat(o: PlainObject): Promise<{ process: ExecProcess; writer: WritableStreamDefaultWriter }> {
  await o.boot()
  const process = await o.container.exec(['cat'], { stdin: 'pipe' })
  if (!process.stdin) throw new Error('there is no stdin')
  return { process, writer: process.stdin.getWriter() }
}

/** How many bytes a stream has. */
async function count(stream: ReadableStream | null): Promise<number> {
  let size = 0
  for await (const part of stream ?? []) size += (part as Uint8Array).byteLength
  return size
}

export const execStreams: Sentences = {
  async stdinOmitted(o) {
    await o.boot()
    const process = await o.container.exec(['cat'])
    const output = await process.output()
    return { stdin: process.stdin ?? 'none', size: output.stdout.byteLength, exitCode: output.exitCode }
  },

  async stdinPipe(o) {
    const { process, writer } = await cat(o)
    await writer.write(bytes('one '))
    await writer.write(bytes('two'))
    await writer.close()
    return text((await process.output()).stdout)
  },

  /** What is written comes back before stdin is closed. */
  async conversation(o) {
    const { process, writer } = await cat(o)
    const reader = process.stdout?.getReader()
    await writer.write(bytes('hello'))
    const heard = await reader?.read()
    await writer.close()
    const end = await reader?.read()
    return { heard: text(heard?.value), done: end?.done, exitCode: await process.exitCode }
  },

  async stdinStream(o) {
    await o.boot()
    const stdin = new Response('from a stream').body as ReadableStream
    return text((await (await o.container.exec(['cat'], { stdin })).output()).stdout)
  },

  async stdinLarge(o) {
    await o.boot()
    const stdin = new Response(new Uint8Array(8 * MIB)).body as ReadableStream
    const output = await (await o.container.exec(['wc', '-c'], { stdin })).output()
    return Number(text(output.stdout))
  },

  /** The process ends without reading: writing fails, nothing hangs. */
  async stdinUnread(o) {
    await o.boot()
    const process = await o.container.exec(['true'], { stdin: 'pipe' })
    await process.exitCode
    const writer = process.stdin?.getWriter()
    const wrote = await Promise.race([
      outcome(async () => {
        for (let i = 0; i < 100; i++) await writer?.write(new Uint8Array(MIB))
      }),
      scheduler.wait(5000).then(() => 'hangs'),
    ])
    return wrote !== 'hangs'
  },

  async binary(o) {
    await o.boot()
    const process = await o.container.exec(['cat'], { stdin: new Response(new Uint8Array([0, 255, 10, 13])).body! })
    return [...new Uint8Array((await process.output()).stdout)]
  },

  async large(o) {
    await o.boot()
    const script = 'head -c 16777216 /dev/zero & head -c 16777216 /dev/zero >&2; wait'
    const process = await o.container.exec(['sh', '-c', script])
    const sizes = await Promise.all([count(process.stdout), count(process.stderr)])
    return { sizes, exitCode: await process.exitCode }
  },

  /** An unread stdout stops its writer, and nobody else. */
  async independent(o) {
    await o.boot()
    const script = '(head -c 67108864 /dev/zero; echo done) & for i in 1 2 3; do echo $i >&2; done; wait'
    const process = await o.container.exec(['sh', '-c', script])
    const reader = process.stderr?.pipeThrough(new TextDecoderStream()).getReader()
    let heard = ''
    while (heard.split('\n').length < 4) heard += (await reader?.read())?.value ?? ''
    const other = text((await (await o.container.exec(['echo', 'beside'])).output()).stdout)
    process.kill(9)
    return { heard, other }
  },

  /** It ends, although its output was never read. */
  async unreadOutput(o) {
    await o.boot()
    const process = await o.container.exec(['head', '-c', '200000', '/dev/zero'])
    return process.exitCode
  },

  async piped(o) {
    await o.boot()
    const first = await o.container.exec(['echo', 'through two processes'])
    const second = await o.container.exec(['tr', 'a-z', 'A-Z'], { stdin: first.stdout! })
    return text((await second.output()).stdout)
  },
}
