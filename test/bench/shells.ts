/** What a person waits for in a shell, against `docker exec -it` in a pty of the kind that VS Code's terminals are. */
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { ObjectKey } from '../../runtime/index.ts'
import { type Measured, median } from './bounds.ts'
import { withContainer } from './execs.ts'
import { interleave } from './interleave.ts'
import type { BenchSession } from './running.ts'

const KEYS = 'abcdefghijklmnopqrst'
/** Clears what was typed. */
const CTRL_U = '\x15'
/** A person's pause between two keys, in ms; nothing of the key before is under way any more. */
const PAUSE_MS = 10
const PROMPT = /[#$] /
const SIZE = { cols: 80, rows: 24 }
const PATIENCE_MS = 10_000
const SIGKILL = 9

/** A shell that is typed into. Whoever opened it closes it. */
interface Shell {
  write(text: string): void
  close(): Promise<void>
}

type Open = (hear: (text: string) => void) => Promise<Shell>

/** The path that a terminal of the extension takes. */
const ours =
  ({ session }: BenchSession, key: ObjectKey): Open =>
  async (hear) => {
    const decoder = new TextDecoder()
    const onOutput = (_: string, bytes: Uint8Array) => hear(decoder.decode(bytes, { stream: true }))
    const process = await session.object(key).exec({ argv: [], tty: SIZE, onOutput })
    return {
      write: (text) => void process.write(Buffer.from(text)),
      async close() {
        await process.signal(SIGKILL)
        await process.ended
      },
    }
  }

/** `docker exec -it`, as in one of VS Code's terminals. */
const theirs =
  (container: string): Open =>
  async (hear) => {
    const pty = nodePty().spawn('docker', ['exec', '-it', container, 'sh'], { ...SIZE, name: 'xterm-256color' })
    pty.onData(hear)
    return {
      write: (text) => pty.write(text),
      async close() {
        const ended = new Promise<void>((resolve) => pty.onExit(() => resolve()))
        pty.write(`${CTRL_U}exit\r`)
        await ended
      },
    }
  }

interface Pty {
  onData(hear: (text: string) => void): void
  onExit(hear: () => void): void
  write(text: string): void
}

/** The module that VS Code itself has, from the server that the tests run. */
function nodePty(): { spawn(file: string, args: readonly string[], options: object): Pty } {
  const folder = process.env.MOORAGE_TEST_VSCODE
  if (folder === undefined) throw new Error('Run this by `npm run bench`, which says where VS Code lies.')
  return createRequire(join(folder, 'package.json'))('node-pty')
}

/** Hears a shell, and waits for what it says. */
class Ear {
  #heard = ''
  #wanted: { readonly pattern: RegExp; heard(): void } | undefined

  readonly hear = (text: string): void => {
    this.#heard += text
    if (this.#wanted?.pattern.test(this.#heard)) this.#wanted.heard()
  }

  /** Resolves when it has said this since the last call. */
  async next(pattern: RegExp, act: () => void): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const late = setTimeout(
      () => reject(new Error(`Not heard: ${pattern} in ${JSON.stringify(this.#heard)}`)),
      PATIENCE_MS,
    )
    this.#wanted = { pattern, heard: resolve }
    act()
    this.hear('')
    try {
      await promise
    } finally {
      clearTimeout(late)
      this.#wanted = undefined
      this.#heard = ''
    }
  }
}

/** From the call until the prompt, in ms. */
async function prompt(open: Open): Promise<number> {
  const ear = new Ear()
  const start = performance.now()
  const shell = await open(ear.hear)
  await ear.next(PROMPT, () => undefined)
  const time = performance.now() - start
  await shell.close()
  return time
}

/** From a key to its echo in a shell that waits for keys; the median of some, in ms. */
async function echo(shell: Shell, ear: Ear): Promise<number> {
  const times: number[] = []
  for (const key of KEYS) {
    await pause()
    const start = performance.now()
    await ear.next(new RegExp(key), () => shell.write(key))
    times.push(performance.now() - start)
  }
  // The shell draws its line anew.
  await ear.next(/./s, () => shell.write(CTRL_U))
  await pause()
  return median(times)
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
}

export const shellPrompt = (bench: BenchSession): Promise<Measured> =>
  withContainer(bench, (_, container, key) =>
    interleave(
      21,
      3,
      () => prompt(ours(bench, key)),
      () => prompt(theirs(container)),
    ),
  )

export const shellKey = (bench: BenchSession): Promise<Measured> =>
  withContainer(bench, async (_, container, key) => {
    const ears = [new Ear(), new Ear()] as const
    const ourShell = await ours(bench, key)(ears[0].hear)
    const theirShell = await theirs(container)(ears[1].hear)
    try {
      for (const ear of ears) await ear.next(PROMPT, () => undefined)
      return await interleave(
        21,
        2,
        () => echo(ourShell, ears[0]),
        () => echo(theirShell, ears[1]),
      )
    } finally {
      await Promise.all([ourShell.close(), theirShell.close()])
    }
  })
