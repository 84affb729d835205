import { idle, lines, text } from '../run.ts'
import { outcome } from '../tell.ts'
import type { Sentences } from './index.ts'

const write = async (process: ExecProcess, words: string): Promise<void> => {
  const writer = (process.stdin as WritableStream).getWriter()
  await writer.write(new TextEncoder().encode(words))
  writer.releaseLock()
}

export const execPty: Sentences = {
  async streams(o) {
    idle(o)
    const process = await o.container.exec(['sh', '-c', 'echo out; echo err >&2; tty > /dev/null && echo terminal'], {
      pty: true,
    })
    const { isPty, stdin, stderr } = process
    const plain = await o.container.exec(['true'])
    return {
      isPty: [isPty, plain.isPty],
      stdin: stdin !== null,
      stderr,
      stdout: await text(process.stdout),
      exitCode: await process.exitCode,
    }
  },

  async size(o, args) {
    idle(o)
    const pty = args.cols === undefined ? true : { cols: Number(args.cols), rows: Number(args.rows) }
    const process = await o.container.exec(['stty', 'size'], { pty })
    return (await text(process.stdout)).trim()
  },

  async term(o) {
    idle(o)
    const term = async (env: Record<string, string>) => {
      const process = await o.container.exec(['sh', '-c', 'echo $TERM'], { pty: true, env })
      return (await text(process.stdout)).trim()
    }
    return [await term({}), await term({ TERM: 'dumb' })]
  },

  async resize(o) {
    idle(o)
    const script = 'trap "stty size" WINCH; stty -echo; echo ready; while :; do sleep 0.02; done'
    const process = await o.container.exec(['sh', '-c', script], { pty: true })
    const heard = lines(process.stdout)
    const told = [(await heard.next())?.trim()]
    process.resize(132, 43)
    told.push((await heard.next())?.trim())
    process.kill(9)
    return [...told, await process.exitCode]
  },

  async resizeOutOfRange(o, { cols, rows }) {
    idle(o)
    const process = await o.container.exec(['cat'], { pty: true })
    const told = await outcome(() => process.resize(Number(cols), Number(rows)))
    process.kill(9)
    await process.exitCode
    return told
  },

  async resizeWithoutPty(o) {
    idle(o)
    const process = await o.container.exec(['true'])
    return outcome(() => process.resize(80, 0))
  },

  async typed(o) {
    idle(o)
    const process = await o.container.exec(['sh', '-c', 'stty -echo; echo ready; read line; echo "got $line"'], {
      pty: true,
    })
    const heard = lines(process.stdout)
    await heard.next()
    await write(process, 'hello\r')
    return [(await heard.next())?.trim(), await process.exitCode]
  },

  async interrupt(o) {
    idle(o)
    const process = await o.container.exec(['sh', '-c', 'stty -echo; echo ready; sleep 1000'], { pty: true })
    const heard = lines(process.stdout)
    await heard.next()
    await write(process, '\x03')
    return process.exitCode
  },

  async output(o) {
    idle(o)
    const process = await o.container.exec(['sh', '-c', 'echo out; echo err >&2'], { pty: true })
    const { stdout, stderr, exitCode } = await process.output()
    return [new TextDecoder().decode(stdout), stderr.byteLength, exitCode]
  },
}
