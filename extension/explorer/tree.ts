/** The Objects view: shows nodes, and nothing but nodes. */
import * as vscode from 'vscode'
import type { SessionModel } from '../../runtime/protocol/model.ts'
import { views } from '../contributes/keys.ts'
import type { MoorageWindow } from '../window.ts'
import { type Node, nodesOf } from './nodes.ts'
import type { Target } from './target.ts'
import { tooltipOf } from './tooltip.ts'

/** Several events of one moment become one change of the view, after this time, in ms. */
const SETTLE_MS = 50

/** Ages are written in minutes; looked at this often, in ms. */
const AGES_MS = 20_000

/** Shows a session, or nothing. */
export class ObjectsTree implements vscode.TreeDataProvider<Node>, vscode.Disposable {
  readonly #changed = new vscode.EventEmitter<undefined>()
  readonly onDidChangeTreeData = this.#changed.event
  readonly onDidChangeNodes = this.#changed.event
  readonly #view: vscode.TreeView<Node>
  readonly #ages: NodeJS.Timeout
  #model: SessionModel | undefined
  #nodes: readonly Node[] = []
  #settling: NodeJS.Timeout | undefined

  constructor({ folders }: MoorageWindow) {
    folders.onDidChange(() => this.show(folders.all.find(({ model }) => model !== undefined)?.model))
    this.#view = vscode.window.createTreeView(views.objects, { treeDataProvider: this, showCollapseAll: true })
    this.#ages = setInterval(() => this.#refresh(), AGES_MS)
  }

  /** What is shown now. */
  get nodes(): readonly Node[] {
    return this.#nodes
  }

  /** What the selected row stands for. */
  get selected(): Target | undefined {
    return this.#view.selection[0]?.target
  }

  /** Shows another model, soon. */
  show(model: SessionModel | undefined): void {
    if (model === this.#model) return
    this.#model = model
    this.#settling ??= setTimeout(() => {
      this.#settling = undefined
      this.#refresh()
    }, SETTLE_MS)
  }

  getChildren(node?: Node): Node[] {
    return [...(node === undefined ? this.#nodes : node.children)]
  }

  getTreeItem(node: Node): vscode.TreeItem {
    const item = new vscode.TreeItem(node.label, collapsible(node))
    item.id = node.id
    item.description = node.description
    const color = node.icon.color === undefined ? undefined : new vscode.ThemeColor(node.icon.color)
    item.iconPath = new vscode.ThemeIcon(node.icon.name, color)
    item.contextValue = node.kind
    item.accessibilityInformation = { label: `${node.label}, ${node.description.replaceAll(' · ', ', ')}` }
    return item
  }

  resolveTreeItem(item: vscode.TreeItem, node: Node): vscode.TreeItem {
    const object = this.#model?.objects.find(({ key }) => node.id === `object:${key}`)
    if (object === undefined) return item
    const one = this.#model?.classes.find(({ className }) => className === object.className)
    item.tooltip = new vscode.MarkdownString(tooltipOf(object, one), true)
    return item
  }

  dispose(): void {
    clearInterval(this.#ages)
    clearTimeout(this.#settling)
    this.#view.dispose()
    this.#changed.dispose()
  }

  #refresh(): void {
    const nodes = this.#model === undefined ? [] : nodesOf(this.#model, Date.now())
    if (JSON.stringify(nodes) === JSON.stringify(this.#nodes)) return
    this.#nodes = nodes
    this.#changed.fire(undefined)
  }
}

/** What is open from the start says so before it has children: VS Code takes a row's first word for good. */
function collapsible(node: Node): vscode.TreeItemCollapsibleState {
  if (node.open) return vscode.TreeItemCollapsibleState.Expanded
  return node.children.length === 0 ? vscode.TreeItemCollapsibleState.None : vscode.TreeItemCollapsibleState.Collapsed
}
