/** Which of VS Code's terminals are ours, and what they show: links in them lead elsewhere than in others. */
import * as vscode from 'vscode'
import type { ObjectKey } from '../../runtime/index.ts'
import type { Folder } from '../session/folder.ts'

/** What a terminal shows: the inside of a container, or lines that come from the Worker and containers. */
export type Showing =
  | { readonly kind: 'container'; readonly folder: Folder; readonly object: ObjectKey }
  | { readonly kind: 'logs' | 'build' }

export class OurTerminals implements vscode.Disposable {
  readonly #all = new Map<vscode.Terminal, Showing>()
  readonly #listening = vscode.window.onDidCloseTerminal((terminal) => this.#all.delete(terminal))

  add(terminal: vscode.Terminal, showing: Showing): void {
    this.#all.set(terminal, showing)
  }

  at(terminal: vscode.Terminal | undefined): Showing | undefined {
    return terminal === undefined ? undefined : this.#all.get(terminal)
  }

  dispose(): void {
    this.#listening.dispose()
  }
}
