/** The output of a process, from its beginning: live while it runs, and after its end. */
import * as vscode from 'vscode'
import type { Chooser, ChosenProcess } from '../actions/chosen.ts'
import { nameOf } from '../actions/chosen.ts'
import { errorText } from '../errors.ts'
import type { Node } from '../explorer/nodes.ts'
import type { Target } from '../explorer/target.ts'
import type { MoorageWindow } from '../window.ts'
import type { OurTerminals } from './ours.ts'
import { commandName } from './process.ts'

/** @param window owns all that is registered */
export function attachCommand(window: MoorageWindow, choose: Chooser, ours: OurTerminals): void {
  const open = new Map<string, vscode.Terminal>()
  window.own(
    vscode.window.onDidCloseTerminal((closed) => {
      for (const [id, terminal] of open) if (terminal === closed) open.delete(id)
    }),
  )
  window.command('moorage.attachProcess', async (row?: Node | Target) => {
    const chosen = await choose.process(row)
    if (chosen === undefined) return
    const { process, folder } = chosen
    const known = open.get(process.id)
    if (known !== undefined) return known.show()
    const name = `${nameOf(chosen.object)}: ${commandName(process.command)}`
    const terminal = vscode.window.createTerminal({ name, pty: new OutputTerminal(chosen, window.folders.onDidChange) })
    ours.add(terminal, { kind: 'container', folder, object: process.object })
    open.set(process.id, terminal)
    terminal.show()
  })
}

const EOT = '\x04'

/** Reads; types only into a stdin that is open. */
class OutputTerminal implements vscode.Pseudoterminal {
  readonly #chosen: ChosenProcess
  readonly #changed: vscode.Event<undefined>
  readonly #written = new vscode.EventEmitter<string>()
  readonly #closed = new vscode.EventEmitter<void>()
  readonly onDidWrite = this.#written.event
  readonly onDidClose = this.#closed.event
  readonly #decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() }
  #following: vscode.Disposable | undefined
  #input: Promise<void> = Promise.resolve()
  #ended = false

  constructor(chosen: ChosenProcess, changed: vscode.Event<undefined>) {
    this.#chosen = chosen
    this.#changed = changed
  }

  open(): void {
    void this.#run().catch((error: unknown) => this.#say(errorText(error)))
  }

  close(): void {
    this.#following?.dispose()
  }

  handleInput(text: string): void {
    const { session, process } = this.#chosen
    if (this.#ended) {
      this.#closed.fire()
      return
    }
    if (!this.#now().stdinOpen) return
    const actions = session.process(process.id)
    this.#input = this.#input
      .then(async () => {
        if (text === EOT && !process.terminal) return actions.end()
        // Without a terminal nobody echoes, and nobody makes a line of Enter.
        if (!process.terminal) this.#written.fire(text.replaceAll('\r', '\r\n'))
        await actions.write(new TextEncoder().encode(process.terminal ? text : text.replaceAll('\r', '\n')))
      })
      .catch((error: unknown) => this.#say(errorText(error)))
  }

  async #run(): Promise<void> {
    const { session, process } = this.#chosen
    this.#say(
      `${process.command.join(' ')}\n${
        process.stdinOpen
          ? vscode.l10n.t('stdin is open: what you type goes to the process, Ctrl-D ends it')
          : vscode.l10n.t('read-only: stdin is closed')
      }`,
    )
    const early: [stream: 'stdout' | 'stderr', bytes: Uint8Array][] = []
    let caughtUp = false
    const kept = await session.process(process.id).output((stream, bytes) => {
      if (caughtUp) this.#show(stream, bytes)
      else early.push([stream, bytes])
    })
    for (const { stream, bytes } of kept.head) this.#show(stream, bytes)
    if (kept.lostBytes > 0) this.#say(vscode.l10n.t('{0} bytes are not kept', kept.lostBytes))
    for (const { stream, bytes } of kept.tail) this.#show(stream, bytes)
    caughtUp = true
    for (const [stream, bytes] of early) this.#show(stream, bytes)
    const ended = this.#changed(() => this.#end())
    this.#following = new vscode.Disposable(() => {
      ended.dispose()
      kept.close()
    })
    this.#end()
  }

  #now() {
    const { folder, process } = this.#chosen
    return folder.model?.processes.find(({ id }) => id === process.id) ?? process
  }

  #end(): void {
    const { end } = this.#now()
    if (end === undefined || this.#ended) return
    this.#ended = true
    const how =
      end.lost ??
      (end.signal === undefined
        ? vscode.l10n.t('exit {0}', end.exitCode ?? '?')
        : vscode.l10n.t('signal {0}', end.signal))
    this.#say(vscode.l10n.t('Ended: {0}. Press any key to close this terminal.', how))
  }

  #show(stream: 'stdout' | 'stderr', bytes: Uint8Array): void {
    const text = this.#decoders[stream].decode(bytes, { stream: true })
    this.#written.fire(this.#chosen.process.terminal ? text : text.replaceAll(/\r?\n/g, '\r\n'))
  }

  #say(text: string): void {
    this.#written.fire(`\x1b[2m${text.replaceAll(/\r?\n/g, '\r\n')}\x1b[0m\r\n`)
  }
}
