/** The Objects view: shows rows, and nothing but rows. */
import * as vscode from 'vscode'
import type { Session } from '../../runtime/index.ts'
import { contextKeys, views } from '../contributes/keys.ts'
import { errorText } from '../errors.ts'
import type { MoorageWindow } from '../window.ts'
import { type Filter, filterWords, isFilterOn, matches, NO_FILTER, readFilter, shownWords } from './filter.ts'
import { askFilter } from './filtering.ts'
import type { Node } from './nodes.ts'
import { Objects } from './objects.ts'
import { Refreshes } from './refreshes.ts'
import type { Row } from './row.ts'
import type { Target } from './target.ts'
import { TOOLTIP_COMMANDS, tooltipOf } from './tooltip.ts'

/** Ages are looked at this often, in ms. */
const AGES_MS = 1000

/** Where the filter is kept. */
const FILTER_KEY = 'moorage.filter'

/** Shows what runs in the window's folders. Its elements are targets, so that menus hand them to commands. */
export class ObjectsTree implements vscode.TreeDataProvider<Target>, vscode.Disposable {
  readonly #window: MoorageWindow
  readonly #told = new vscode.EventEmitter<Target[] | undefined>()
  readonly #changed = new vscode.EventEmitter<undefined>()
  readonly onDidChangeTreeData = this.#told.event
  /** The rows have become others; at most ten times a second, and once more for ages. */
  readonly onDidChangeNodes = this.#changed.event
  readonly #view: vscode.TreeView<Target>
  readonly #objects = new Objects()
  readonly #refreshes = new Refreshes()
  readonly #watched = new Map<Session, () => void>()
  readonly #listening: vscode.Disposable
  #filter: Filter
  #ages: NodeJS.Timeout | undefined
  #telling: NodeJS.Timeout | undefined

  constructor(window: MoorageWindow) {
    this.#window = window
    this.#filter = readFilter(window.context.workspaceState.get(FILTER_KEY))
    this.#view = vscode.window.createTreeView(views.objects, { treeDataProvider: this, showCollapseAll: true })
    this.#listening = vscode.Disposable.from(
      window.folders.onDidChange(() => this.#follow()),
      this.#view.onDidChangeVisibility(() => this.#follow()),
    )
    window.command('moorage.filter', () => this.#askFilter())
    window.command('moorage.clearFilter', () => this.#keepFilter(NO_FILTER))
    window.command('moorage.select', (target: Target) => this.select(target))
    this.#showFilter()
    this.#follow()
  }

  /** Every row, as if all were open. */
  get nodes(): readonly Node[] {
    this.#update()
    return this.#objects.roots
  }

  /** What the selected row stands for. */
  get selected(): Target | undefined {
    return this.#view.selection[0]
  }

  /** Shows the row of a target and selects it. A filter that hides it is cleared. Does nothing where there is no such row. */
  async select(target: Target): Promise<void> {
    this.#update()
    if (this.#objects.row(target) === undefined) this.#keepFilter(NO_FILTER)
    const row = this.#objects.row(target)
    if (row === undefined) return
    await this.#view.reveal(row.target, { select: true, focus: true })
  }

  getChildren(target?: Target): Target[] {
    const rows = target === undefined ? this.#objects.roots : (this.#objects.row(target)?.children ?? [])
    return rows.map((row) => row.target)
  }

  getParent(target: Target): Target | undefined {
    return this.#objects.parent(target)
  }

  getTreeItem(target: Target): vscode.TreeItem {
    const row = this.#objects.row(target)
    // It has just gone: VS Code is told of that in a moment.
    return row === undefined ? new vscode.TreeItem('') : itemOf(row)
  }

  resolveTreeItem(item: vscode.TreeItem, target: Target): vscode.TreeItem {
    const model = this.#objects.model(target.folder)
    const text = model === undefined ? undefined : tooltipOf(target, model, Date.now())
    if (text === undefined) return item
    const tooltip = new vscode.MarkdownString(text, true)
    tooltip.isTrusted = { enabledCommands: TOOLTIP_COMMANDS }
    item.tooltip = tooltip
    return item
  }

  dispose(): void {
    clearInterval(this.#ages)
    clearTimeout(this.#telling)
    for (const stop of this.#watched.values()) stop()
    this.#watched.clear()
    for (const one of [this.#listening, this.#view, this.#told, this.#changed]) one.dispose()
  }

  /** Sessions are measured, and ages looked at, only while someone sees it. */
  #follow(): void {
    this.#watch()
    if (this.#view.visible) this.#ages ??= setInterval(() => this.#update(), AGES_MS)
    else {
      clearInterval(this.#ages)
      this.#ages = undefined
    }
    this.#update()
  }

  #watch(): void {
    const sessions = this.#view.visible ? this.#window.folders.all.flatMap(({ session }) => session ?? []) : []
    for (const [session, stop] of this.#watched) {
      if (sessions.includes(session)) continue
      this.#watched.delete(session)
      stop()
    }
    for (const session of sessions) {
      if (!this.#watched.has(session)) this.#watched.set(session, this.#measured(session))
    }
  }

  /** Without it rows lack usage and ports, and the rest is there. */
  #measured(session: Session): () => void {
    try {
      return session.watch()
    } catch (error) {
      this.#window.log.warn(errorText(error))
      return () => undefined
    }
  }

  #update(): void {
    const shown = this.#window.folders.all.flatMap(({ uri, model }) =>
      model === undefined ? [] : [{ folder: uri.toString(), model }],
    )
    const changed = this.#objects.update(shown, this.#filter)
    this.#refreshes.add(changed)
    this.#tell()
    if (changed.length > 0) this.#changed.fire(undefined)
  }

  /** Tells VS Code what it may be told now, and comes back for the rest. */
  #tell(): void {
    clearTimeout(this.#telling)
    const children = (target: Target | undefined) =>
      target === undefined ? 0 : (this.#objects.row(target)?.made?.length ?? 0)
    const due = this.#refreshes.take(performance.now(), children)
    if (due.length > 0) {
      this.#view.message = this.#message()
      this.#told.fire(due.some((one) => one === undefined) ? undefined : (due as Target[]))
    }
    const next = this.#refreshes.dueAt(children)
    if (next !== undefined) this.#telling = setTimeout(() => this.#tell(), Math.max(0, next - performance.now()))
  }

  /** On an empty tree it would hide what the view says instead of rows. */
  #message(): string | undefined {
    if (!isFilterOn(this.#filter) || this.#objects.roots.length === 0) return undefined
    const { objects } = this.#objects
    return shownWords(objects.filter((object) => matches(this.#filter, object)).length, objects.length)
  }

  async #askFilter(): Promise<void> {
    const before = this.#filter
    const chosen = await askFilter(before, this.#objects.objects, (filter) => this.#setFilter(filter))
    this.#keepFilter(chosen ?? before)
  }

  #keepFilter(filter: Filter): void {
    this.#setFilter(filter)
    void this.#window.context.workspaceState.update(FILTER_KEY, isFilterOn(filter) ? filter : undefined)
  }

  #setFilter(filter: Filter): void {
    this.#filter = filter
    this.#showFilter()
    this.#refreshes.hurry()
    this.#refreshes.add([undefined])
    this.#update()
  }

  #showFilter(): void {
    this.#view.description = filterWords(this.#filter)
    void vscode.commands.executeCommand('setContext', contextKeys.filtered, isFilterOn(this.#filter))
  }
}

const FOLDS = {
  none: vscode.TreeItemCollapsibleState.None,
  closed: vscode.TreeItemCollapsibleState.Collapsed,
  open: vscode.TreeItemCollapsibleState.Expanded,
} as const

function itemOf({ id, target, label, description, icon, sentence, menus, fold }: Row): vscode.TreeItem {
  const item = new vscode.TreeItem(label, FOLDS[fold])
  item.id = id
  item.description = description
  item.iconPath = new vscode.ThemeIcon(
    icon.name,
    icon.color === undefined ? undefined : new vscode.ThemeColor(icon.color),
  )
  item.contextValue = menus
  item.accessibilityInformation = { label: sentence }
  const command = click(target)
  if (command !== undefined) item.command = command
  return item
}

/** What a plain click does: it shows output of processes, and only selects anything else. */
function click(target: Target): vscode.Command | undefined {
  const title = vscode.l10n.t('Show Output')
  if (target.kind === 'process') return { command: 'moorage.attachProcess', title, arguments: [target] }
  return target.kind === 'root' ? { command: 'moorage.showLogs', title, arguments: [target] } : undefined
}
