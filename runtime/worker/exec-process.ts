/** What exec() gives: the platform's ExecProcess and ExecOutput, with its properties and no others. */

import type { Tell } from '../protocol/worker.ts'
import { checkSignal } from './check.ts'
import { checkResize, NO_PTY } from './exec-options.ts'
import { type Input, LAST_WORD_MS, type Output } from './exec-streams.ts'

const SIGTERM = 15

/** What a process is made of. */
export interface ProcessParts {
  readonly pid: number
  readonly isPty: boolean
  readonly stdin: Input | undefined
  readonly stdout: Output | undefined
  readonly stderr: Output | undefined
  /** Waits for the end in the block that it is called in; called once. */
  readonly exit: () => Promise<number>
  readonly tell: (told: Tell) => void
}

export class ExecProcess {
  readonly #parts: ProcessParts
  #exitCode: Promise<number> | undefined
  #read = false

  constructor(parts: ProcessParts) {
    this.#parts = parts
  }

  get stdin(): WritableStream | null {
    return this.#parts.stdin?.writable ?? null
  }

  get stdout(): ReadableStream | null {
    return this.#parts.stdout?.readable ?? null
  }

  get stderr(): ReadableStream | null {
    return this.#parts.stderr?.readable ?? null
  }

  get pid(): number {
    return this.#parts.pid
  }

  get isPty(): boolean {
    return this.#parts.isPty
  }

  /** The same promise each time. Made when first asked for: it then settles within the block it was asked for in. */
  get exitCode(): Promise<number> {
    if (!this.#exitCode) {
      this.#exitCode = this.#parts.exit()
      // It may be asked for and never looked at.
      this.#exitCode.catch(() => {})
    }
    return this.#exitCode
  }

  async output(): Promise<ExecOutput> {
    if (this.#read) throw new TypeError('output() can only be called once.')
    this.#read = true
    const { stdout, stderr } = this.#parts
    for (const [name, stream] of Object.entries({ stdout, stderr }))
      if (stream?.disturbed) throw new TypeError(`Cannot call output() after ${name} has started being consumed.`)
    const streams = Promise.all([stdout, stderr].map((stream) => stream?.readAll() ?? new ArrayBuffer(0)))
    const { exitCode } = this
    try {
      const [out, err] = await streams
      return new ExecOutput(out as ArrayBuffer, err as ArrayBuffer, await exitCode)
    } catch (error) {
      await Promise.race([exitCode, new Promise((resolve) => setTimeout(resolve, LAST_WORD_MS))])
      throw error
    }
  }

  kill(...args: unknown[]): void {
    const signal = args[0] === undefined ? SIGTERM : checkSignal(args[0])
    this.#parts.tell({ signal })
  }

  resize(...args: unknown[]): void {
    if (!this.#parts.isPty) throw new TypeError(NO_PTY)
    this.#parts.tell(checkResize(args))
  }

  get [Symbol.toStringTag](): string {
    return 'ExecProcess'
  }
}

export class ExecOutput {
  readonly #stdout: ArrayBuffer
  readonly #stderr: ArrayBuffer
  readonly #exitCode: number

  constructor(stdout: ArrayBuffer, stderr: ArrayBuffer, exitCode: number) {
    this.#stdout = stdout
    this.#stderr = stderr
    this.#exitCode = exitCode
  }

  get stdout(): ArrayBuffer {
    return this.#stdout
  }

  get stderr(): ArrayBuffer {
    return this.#stderr
  }

  get exitCode(): number {
    return this.#exitCode
  }

  get [Symbol.toStringTag](): string {
    return 'ExecOutput'
  }
}
