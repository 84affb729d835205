/** A process as a terminal of VS Code: its bytes, its size, its end. */
import * as l10n from '@vscode/l10n'
import * as vscode from 'vscode'
import type { ExecOptions, OpenProcess, ProcessModel } from '../../runtime/index.ts'
import { errorText } from '../errors.ts'

const ENTER = '\r'

/** What a terminal shows. */
export interface Shown {
  /** Of whom: it stands first on the tab. */
  readonly of: string
  /** Opens the process; called again when the person asks for another one. */
  open(options: Pick<ExecOptions, 'tty' | 'onOutput' | 'onNote'>): Promise<OpenProcess>
  /** Why the container ended, where that ended the process. */
  lost(): string
  /** Starts the container again. */
  restart(): Promise<void>
}

/** Terminal and process live together: closing the one ends the other. */
export class ProcessTerminal implements vscode.Pseudoterminal {
  readonly #shown: Shown
  readonly #written = new vscode.EventEmitter<string>()
  readonly #closed = new vscode.EventEmitter<number | undefined>()
  readonly #named = new vscode.EventEmitter<string>()
  readonly onDidWrite = this.#written.event
  readonly onDidClose = this.#closed.event
  readonly onDidChangeName = this.#named.event
  /** Characters may be cut anywhere in the bytes. */
  #decoder = new TextDecoder()
  readonly #encoder = new TextEncoder()
  #process: OpenProcess | undefined
  #size = { cols: 80, rows: 24 }
  /** Typed and not yet taken. */
  #input: Promise<void> = Promise.resolve()
  /** What the next key does, once the process has ended. */
  #after: 'close' | 'again' | undefined

  constructor(shown: Shown) {
    this.#shown = shown
  }

  open(size: vscode.TerminalDimensions | undefined): void {
    if (size !== undefined) this.#size = { cols: size.columns, rows: size.rows }
    void this.#run()
  }

  close(): void {
    // As when a terminal is closed: the shell and what runs in it hang up.
    void this.#process?.signal(SIGHUP).catch(() => undefined)
    this.#process = undefined
  }

  setDimensions({ columns, rows }: vscode.TerminalDimensions): void {
    this.#size = { cols: columns, rows }
    void this.#process?.resize(columns, rows).catch(() => undefined)
  }

  handleInput(text: string): void {
    const process = this.#process
    if (process !== undefined) {
      // One after the other, and no more than the process takes.
      this.#input = this.#input.then(() => process.write(this.#encoder.encode(text))).catch(() => undefined)
      return
    }
    if (this.#after === 'again' && text === ENTER) void this.#again()
    else if (this.#after !== undefined) this.#closed.fire(undefined)
  }

  async #run(): Promise<void> {
    this.#after = undefined
    try {
      const process = await this.#shown.open({
        tty: this.#size,
        onOutput: (_, bytes) => this.#written.fire(this.#decoder.decode(bytes, { stream: true })),
        onNote: (text) => this.#say(text),
      })
      this.#process = process
      this.#named.fire(`${this.#shown.of}: ${commandName(process.command)}`)
      const end = await process.ended
      this.#process = undefined
      this.#ended(end, commandName(process.command))
    } catch (error) {
      this.#say(errorText(error))
      this.#offer(l10n.t('Press any key to close this terminal.'), 'close')
    }
  }

  #ended({ exitCode, signal, lost }: NonNullable<ProcessModel['end']>, command: string): void {
    this.#decoder = new TextDecoder()
    if (lost !== undefined) {
      this.#say(l10n.t('The container has ended. {0}', this.#shown.lost()))
      this.#offer(l10n.t('Press Enter to start it again, any other key to close this terminal.'), 'again')
      return
    }
    if (exitCode === 0) {
      this.#closed.fire(0)
      return
    }
    const how = signal === undefined ? l10n.t('exit {0}', exitCode ?? '?') : l10n.t('signal {0}', signal)
    this.#named.fire(`${this.#shown.of}: ${command} · ${how}`)
    this.#say(l10n.t('{0} ended: {1}.', command, how))
    this.#offer(l10n.t('Press any key to close this terminal.'), 'close')
  }

  async #again(): Promise<void> {
    this.#after = undefined
    this.#say(l10n.t('Starting…'))
    try {
      await this.#shown.restart()
    } catch (error) {
      this.#say(errorText(error))
      this.#offer(l10n.t('Press Enter to try again, any other key to close this terminal.'), 'again')
      return
    }
    await this.#run()
  }

  /** Stands right below what was said. */
  #offer(text: string, after: 'close' | 'again'): void {
    this.#written.fire(`\x1b[2m${text}\x1b[0m\r\n`)
    this.#after = after
  }

  #say(text: string): void {
    this.#written.fire(`\x1b[0m\r\n\x1b[2m${text.replaceAll(/\r?\n/g, '\r\n')}\x1b[0m\r\n`)
  }
}

const SIGHUP = 1

/** `/bin/bash` -> `bash`. */
export function commandName(command: readonly string[]): string {
  const [first = ''] = command
  return first.split('/').at(-1) ?? first
}
