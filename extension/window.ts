/** What the parts of the extension share: one of it, made by main.ts and handed to each. */
import * as vscode from 'vscode'
import type { CommandId } from './contributes/commands.ts'
import { errorText } from './errors.ts'
import type { Folders } from './session/folders.ts'

/** The window that the extension runs in. */
export class MoorageWindow {
  readonly context: vscode.ExtensionContext
  readonly folders: Folders
  /** The runtime's own log, with levels. */
  readonly log: vscode.LogOutputChannel

  constructor(context: vscode.ExtensionContext, folders: Folders, log: vscode.LogOutputChannel) {
    this.context = context
    this.folders = folders
    this.log = log
  }

  /** Keeps something until the window closes. */
  own(...things: readonly vscode.Disposable[]): void {
    this.context.subscriptions.push(...things)
  }

  /** Says what a command does. What it rejects with is told to the person. */
  command(id: CommandId, run: (...args: never[]) => unknown): void {
    this.own(
      vscode.commands.registerCommand(id, async (...args: unknown[]) => {
        try {
          return await (run as (...args: unknown[]) => unknown)(...args)
        } catch (error) {
          void this.tellError(error)
          return undefined
        }
      }),
    )
  }

  /** Tells an error, and offers the log. */
  async tellError(error: unknown): Promise<void> {
    const text = errorText(error)
    this.log.error(error instanceof Error ? (error.stack ?? text) : text)
    const show = vscode.l10n.t('Show Log')
    if ((await vscode.window.showErrorMessage(text, show)) === show) this.log.show()
  }
}
