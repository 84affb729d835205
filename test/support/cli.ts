/** The built command line, run as people run it: its own process, its lines, its end. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { root } from './root.mjs'
import { BUILD_ARGS } from './session.ts'

/** How long anything may take before a test says what it was waiting for, in ms. */
const PATIENCE_MS = 60_000

/** The Node that people may have: the one that ran `npm test`, else this one. */
const NODE = process.env.MOORAGE_TEST_NODE ?? process.execPath

export interface CliOptions {
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Gives it a terminal, so that it hears keys. */
  readonly terminal?: boolean
  /** What runs it, such as `nsenter --net=x --`. */
  readonly under?: readonly string[]
}

/** A running `moorage dev`. Disposing it kills what is left of it. */
export class Cli implements AsyncDisposable {
  readonly child: ChildProcess
  /** All that it printed. */
  output = ''
  /** How it ended, and when. */
  readonly ended: Promise<{ readonly code: number | null; readonly signal: string | null; readonly at: number }>
  readonly #folder: string
  readonly #wake = new Set<() => void>()
  #over = false

  private constructor(folder: string, { args = [], env = {}, terminal = false, under = [] }: CliOptions) {
    const buildArgs = Object.entries(BUILD_ARGS).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`])
    const dev = [...under, NODE, join(root, 'dist', 'cli.js'), 'dev', '--port', '0', ...buildArgs, ...args]
    // `script` gives it a pseudo-terminal; -e passes its exit code on.
    const command = terminal ? ['script', '-qefc', dev.map((word) => `'${word}'`).join(' '), '/dev/null'] : dev
    this.#folder = folder
    this.child = spawn(command[0]!, command.slice(1), {
      cwd: folder,
      env: { ...process.env, NO_COLOR: '1', ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    this.child.stdin!.on('error', () => undefined)
    for (const stream of [this.child.stdout!, this.child.stderr!]) {
      stream.on('data', (chunk) => {
        this.output += String(chunk).replaceAll('\r', '')
        for (const wake of this.#wake) wake()
      })
    }
    this.ended = once(this.child, 'exit').then(([code, signal]) => ({ code, signal, at: performance.now() }))
    void this.ended.then(() => {
      this.#over = true
      for (const wake of this.#wake) wake()
    })
  }

  /** Runs it in a project's folder. */
  static start(folder: string, options: CliOptions = {}): Cli {
    return new Cli(folder, options)
  }

  /** Its pid, not that of what runs it. Known when it has printed something. */
  async pid(): Promise<number> {
    return (await this.lock()).pid
  }

  /** Resolves with the match when what it printed matches, from `from` characters on. @throws Error where it does not in time */
  async line(pattern: RegExp, from = 0): Promise<RegExpExecArray> {
    const deadline = Date.now() + PATIENCE_MS
    for (;;) {
      const match = pattern.exec(this.output.slice(from))
      if (match) return match
      const left = deadline - Date.now()
      if (left <= 0 || this.#over) {
        throw new Error(
          `Waited for ${pattern}${this.#over ? ', and it ended' : ''}. It printed:\n${this.output.slice(from)}`,
        )
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(done, left)
        const wake = this.#wake
        function done(): void {
          clearTimeout(timer)
          wake.delete(done)
          resolve()
        }
        wake.add(done)
      })
    }
  }

  /** Where it serves. */
  async url(): Promise<string> {
    return (await this.line(/Ready on (http:\S+)/))[1]!
  }

  /** What its lock says. */
  async lock(): Promise<{ pid: number; session: string; url?: string }> {
    return JSON.parse(await readFile(join(this.#folder, '.wrangler', 'moorage', 'session.json'), 'utf8'))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#over) {
      this.child.kill('SIGTERM')
      const timer = setTimeout(() => this.child.kill('SIGKILL'), 10_000)
      await this.ended
      clearTimeout(timer)
    }
  }
}
