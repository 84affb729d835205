/** The status bar item. */
import * as vscode from 'vscode'
import type { MoorageWindow } from '../window.ts'
import { stateOf } from './state.ts'
import { statusOf } from './status-words.ts'

/** The status bar item of the window: lives as long as the window. */
export function showStatus(window: MoorageWindow): void {
  const item = vscode.window.createStatusBarItem('moorage.status', vscode.StatusBarAlignment.Left, 10)
  item.name = 'Moorage'
  const show = (): void => {
    const state = stateOf(window.folders.all)
    if (state === 'none' || state === 'no-containers') {
      item.hide()
      return
    }
    const models = window.folders.all.flatMap(({ model }) => (model === undefined ? [] : [model]))
    const status = statusOf(state, models)
    const background = status.background && `statusBarItem.${status.background}Background`
    item.text = status.text
    item.command = status.command
    item.tooltip = status.spoken
    item.backgroundColor = background === undefined ? undefined : new vscode.ThemeColor(background)
    item.accessibilityInformation = { label: status.spoken }
    item.show()
  }
  show()
  window.own(item, window.folders.onDidChange(show))
}
