/** Logs of an object, of a class, of everything: one terminal a choice. */
import * as vscode from 'vscode'
import type { Chooser } from '../actions/chosen.ts'
import type { Node } from '../explorer/nodes.ts'
import type { Target } from '../explorer/target.ts'
import type { MoorageWindow } from '../window.ts'
import type { ShownLine } from './log-lines.ts'
import { type Choice, LogView, workerLine } from './log-view.ts'
import type { OurTerminals } from './ours.ts'

/** Lines of the Workers' consoles that are kept for views to come. */
const WORKER_LINES = 2000

/** @param window owns all that is registered */
export function logCommands(window: MoorageWindow, choose: Chooser, ours: OurTerminals): void {
  const open = new Map<string, { readonly terminal: vscode.Terminal; readonly view: LogView }>()
  const worker: { readonly folder: string; readonly line: ShownLine }[] = []
  const setting = (): boolean => vscode.workspace.getConfiguration('moorage').get<boolean>('logTimestamps') ?? false

  const show = (choice: Choice, name: string): void => {
    const key = JSON.stringify(choice)
    const known = open.get(key)
    if (known !== undefined) {
      known.terminal.show()
      return
    }
    const lines = () =>
      worker.filter(({ folder }) => choice.kind === 'all' || choice.folder === folder).map(({ line }) => line)
    const view = new LogView(choice, window.folders, lines, setting())
    const terminal = vscode.window.createTerminal({
      name: `${name}: ${vscode.l10n.t('logs')}`,
      pty: view,
      iconPath: new vscode.ThemeIcon('output'),
    })
    ours.add(terminal, { kind: 'logs' })
    open.set(key, { terminal, view })
    terminal.show()
  }
  /** The view of the terminal in front, else the one that was opened last. */
  const current = (): LogView | undefined =>
    ([...open.values()].find(({ terminal }) => terminal === vscode.window.activeTerminal) ?? [...open.values()].at(-1))
      ?.view

  window.own(
    window.folders.onEvent(({ folder, event }) => {
      if (event.type !== 'worker-log') return
      worker.push({ folder: folder.uri.toString(), line: workerLine(event) })
      if (worker.length > WORKER_LINES) worker.splice(0, worker.length - WORKER_LINES)
    }),
    vscode.window.onDidCloseTerminal((closed) => {
      for (const [key, { terminal }] of open) if (terminal === closed) open.delete(key)
    }),
    vscode.workspace.onDidChangeConfiguration((change) => {
      if (!change.affectsConfiguration('moorage.logTimestamps')) return
      for (const { view } of open.values()) view.timestamps = setting()
    }),
  )
  window.command('moorage.showLogs', async (row?: Node | Target) => {
    const one = await choose.object(row, 'logs')
    if (one === undefined) return
    const { folder, object } = one
    show({ kind: 'object', folder: folder.uri.toString(), object: object.key }, one.name)
  })
  window.command('moorage.showClassLogs', async (row?: Node | Target) => {
    const chosen = await choose.class(row)
    if (chosen === undefined) return
    const { className } = chosen.one
    show({ kind: 'class', folder: chosen.folder.uri.toString(), className }, className)
  })
  window.command('moorage.showAllLogs', () => show({ kind: 'all' }, 'Moorage'))
  window.command('moorage.toggleTimestamps', () =>
    vscode.workspace.getConfiguration('moorage').update('logTimestamps', !setting(), vscode.ConfigurationTarget.Global),
  )
  window.command('moorage.clearLogs', () => current()?.clear())
  window.command('moorage.saveLogs', async () => {
    const text = current()?.text()
    if (text === undefined) return
    const uri = await vscode.window.showSaveDialog({ filters: { Log: ['log', 'txt'] } })
    if (uri === undefined) return
    await vscode.workspace.fs.writeFile(uri, new TextEncoder().encode(text))
  })
}
