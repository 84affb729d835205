import { outcome, until } from '../tell.ts'
import type { Sentences } from './index.ts'

/** What a terminal shows, read until it ends. */
async function shown(process: ExecProcess): Promise<string> {
  return new TextDecoder().decode((await process.output()).stdout)
}

export const execTerminal: Sentences = {
  async pty(o) {
    await o.boot()
    const process = await o.container.exec(['sh', '-c', 'test -t 0 && test -t 1 && stty size; echo err >&2'], {
      pty: true,
    })
    return {
      isPty: process.isPty,
      stderr: process.stderr ?? 'none',
      stdin: process.stdin !== null && process.stdin !== undefined,
      shown: await shown(process),
    }
  },

  async withoutPty(o) {
    await o.boot()
    const process = await o.container.exec(['true'])
    const resized = await outcome(() => process.resize(80, 24))
    await process.exitCode
    return { isPty: process.isPty, resized }
  },

  async ptySize(o) {
    await o.boot()
    return shown(await o.container.exec(['stty', 'size'], { pty: { cols: 132, rows: 50 } }))
  },

  async resize(o) {
    await o.boot()
    const process = await o.container.exec(
      ['sh', '-c', 'trap "stty size; exit 0" WINCH; echo ready; while :; do sleep 0.05; done'],
      {
        pty: true,
      },
    )
    const reader = process.stdout?.pipeThrough(new TextDecoderStream()).getReader()
    let heard = ''
    const read = async (): Promise<boolean> => {
      const part = await reader?.read()
      heard += part?.value ?? ''
      return part?.done === true
    }
    await until('it is ready', async () => {
      await read()
      return heard.includes('ready')
    })
    process.resize(100, 30)
    await until('it has ended', read)
    return heard.replace('ready', '').trim()
  },

  async resizeOutOfRange(o) {
    await o.boot()
    const process = await o.container.exec(['sleep', '1000'], { pty: true })
    const refused = await Promise.all(
      [
        [0, 24],
        [80, 0],
        [65536, 24],
      ].map(([cols = 0, rows = 0]) => outcome(() => process.resize(cols, rows))),
    )
    process.kill(9)
    await process.exitCode
    return refused.map((answer) => ('threw' in answer ? answer.threw.name : 'accepted'))
  },

  /** Typing control-C into a terminal interrupts what runs in it. */
  async interrupts(o) {
    await o.boot()
    const process = await o.container.exec(['sh', '-c', 'echo ready; exec sleep 1000'], { pty: true })
    await process.stdout?.getReader().read()
    const writer = process.stdin?.getWriter()
    await writer?.write(new Uint8Array([3]))
    return process.exitCode
  },
}
