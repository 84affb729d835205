/** The card "why did it stop", in a tab: one for all objects, that of the last question. */
import { randomBytes } from 'node:crypto'
import * as vscode from 'vscode'
import type { FromCard, ToCard } from '../../webview/messages.ts'
import { type Chooser, type ChosenObject, targetOf } from '../actions/chosen.ts'
import type { Node } from '../explorer/nodes.ts'
import type { Target } from '../explorer/target.ts'
import type { MoorageWindow } from '../window.ts'
import { cardOf, type Step } from './card.ts'

/** @param window owns all that is registered */
export function whyCommand(window: MoorageWindow, choose: Chooser): void {
  const card = new WhyPanel(window)
  window.own(card)
  window.command('moorage.why', async (row?: Node | Target) => {
    const chosen = await choose.object(row, 'why')
    if (chosen !== undefined) card.show(chosen)
  })
}

class WhyPanel implements vscode.Disposable {
  readonly #window: MoorageWindow
  readonly #listening: vscode.Disposable
  #panel: vscode.WebviewPanel | undefined
  #shown: { readonly chosen: ChosenObject; readonly steps: readonly Step[]; readonly message: ToCard } | undefined

  constructor(window: MoorageWindow) {
    this.#window = window
    // It ended once more: the card says how it was this time.
    this.#listening = window.folders.onEvent(({ event }) => {
      if (event.type === 'container' && event.object === this.#shown?.chosen.object.key) this.#again()
    })
  }

  /** @param preserveFocus of whatever has it: what comes by itself takes nobody's */
  show(chosen: ChosenObject, preserveFocus = false): void {
    const { folder, object } = chosen
    const made = cardOf(
      folder.object(object.key) ?? object,
      folder.model?.classes.find((one) => one.className === object.className),
    )
    if (made === undefined) return
    this.#shown = { chosen, steps: made.steps, message: { type: 'show', card: made.card } }
    const panel = this.#panel ?? this.#open()
    panel.title = vscode.l10n.t('{0}: why', chosen.name)
    panel.reveal(undefined, preserveFocus)
    void panel.webview.postMessage(this.#shown.message)
  }

  dispose(): void {
    this.#listening.dispose()
    this.#panel?.dispose()
  }

  #again(): void {
    if (this.#panel?.visible === true && this.#shown !== undefined) this.show(this.#shown.chosen, true)
  }

  #open(): vscode.WebviewPanel {
    const { extensionUri } = this.#window.context
    const files = vscode.Uri.joinPath(extensionUri, 'dist', 'webview')
    const panel = vscode.window.createWebviewPanel('moorage.why', '', vscode.ViewColumn.Active, {
      enableScripts: true,
      localResourceRoots: [files],
    })
    panel.webview.html = page(panel.webview, files)
    panel.webview.onDidReceiveMessage((message: FromCard) => {
      if (this.#shown === undefined) return
      if (message.type === 'ready') void panel.webview.postMessage(this.#shown.message)
      else this.#do(message.index)
    })
    panel.onDidDispose(() => {
      this.#panel = undefined
      this.#shown = undefined
    })
    this.#panel = panel
    return panel
  }

  #do(index: number): void {
    const { chosen, steps } = this.#shown ?? {}
    const step = steps?.[index]
    if (step === undefined || chosen === undefined) return
    void vscode.commands.executeCommand(step.command, targetOf(chosen.folder, chosen.object.key))
  }
}

/** Nothing is loaded but our own two files, and nothing runs but the script with this nonce. */
function page(webview: vscode.Webview, files: vscode.Uri): string {
  const nonce = randomBytes(16).toString('base64url')
  const uri = (name: string) => webview.asWebviewUri(vscode.Uri.joinPath(files, name))
  const policy = `default-src 'none'; style-src ${webview.cspSource}; script-src 'nonce-${nonce}'`
  return `<!doctype html>
<html lang="${vscode.env.language}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<link rel="stylesheet" href="${uri('why.css')}">
</head>
<body><main></main><script nonce="${nonce}" src="${uri('why.js')}"></script></body>
</html>`
}
