/** Lines over the code: how a container class does, and what can be done with it; a literal exec, run by hand. */
import * as vscode from 'vscode'
import type { ClassModel, ObjectModel } from '../../runtime/index.ts'
import type { Target } from '../explorer/target.ts'
import { classWords } from '../explorer/words.ts'
import type { Folder } from '../session/folder.ts'
import type { Folders } from '../session/folders.ts'
import type { Classes } from './classes.ts'
import type { Found } from './found.ts'

/** What the lenses are for. */
export const LANGUAGES: readonly vscode.DocumentFilter[] = [
  'typescript',
  'typescriptreact',
  'javascript',
  'javascriptreact',
].map((language) => ({ language, scheme: 'file' }))

/** Without one of these words a file has nothing for us, and is not parsed. */
const WORTH = /\bextends\b|\.exec\s*\(/

export class Lenses implements vscode.CodeLensProvider, vscode.Disposable {
  readonly #folders: Folders
  readonly #classes: Classes
  readonly #changed = new vscode.EventEmitter<void>()
  readonly #listening: vscode.Disposable
  readonly onDidChangeCodeLenses = this.#changed.event
  #told = ''

  constructor(folders: Folders, classes: Classes) {
    this.#folders = folders
    this.#classes = classes
    this.#listening = folders.onDidChange(() => this.#look())
  }

  async provideCodeLenses(document: vscode.TextDocument): Promise<vscode.CodeLens[]> {
    const text = document.getText()
    if (!WORTH.test(text)) return []
    const uri = vscode.workspace.getWorkspaceFolder(document.uri)?.uri
    const folder = uri === undefined ? undefined : this.#folders.at(uri.toString())
    if (folder === undefined || folder.configs.length === 0) return []
    const found = await this.#classes.parse(document.uri.fsPath, text)
    if (found === undefined) return []
    const classes = await this.#classLenses(document, folder, found)
    return [...classes, ...found.execs.map((exec) => runLens(exec))]
  }

  dispose(): void {
    this.#listening.dispose()
    this.#changed.dispose()
  }

  async #classLenses({ uri }: vscode.TextDocument, folder: Folder, found: Found): Promise<vscode.CodeLens[]> {
    const { model } = folder
    if (model === undefined) {
      const start = { title: vscode.l10n.t('$(play) Start containers'), command: 'moorage.start' }
      return found.classes
        .filter(({ isContainer }) => isContainer)
        .map((one) => new vscode.CodeLens(rangeOf(one), start))
    }
    const places = await this.#classes.places(folder)
    return found.classes.flatMap((one) => {
      const place = places.find(({ file, local }) => file === uri.fsPath && local === one.name)
      const known = model.classes.find(({ className }) => className === place?.className)
      if (known === undefined) return []
      const objects = model.objects.filter(({ className }) => className === known.className)
      return lensesOf(folder, known, objects).map((command) => new vscode.CodeLens(rangeOf(one), command))
    })
  }

  /** Only what the lenses show makes them show anew. */
  #look(): void {
    const now = JSON.stringify(
      this.#folders.all.map(({ model }) =>
        model?.classes.map((one) =>
          classWords(
            one,
            model.objects.filter(({ className }) => className === one.className),
          ),
        ),
      ),
    )
    if (now === this.#told) return
    this.#told = now
    this.#changed.fire()
  }
}

function lensesOf(folder: Folder, one: ClassModel, objects: readonly ObjectModel[]): readonly vscode.Command[] {
  const target: Target = { kind: 'class', folder: folder.uri.toString(), className: one.className }
  const command = (title: string, id: string): vscode.Command => ({ title, command: id, arguments: [target] })
  const running = objects.some(({ container }) => container.state === 'running')
  return [
    command(classWords(one, objects) || vscode.l10n.t('no object yet'), 'moorage.select'),
    ...(running ? [command(vscode.l10n.t('Open shell'), 'moorage.shellOfClass')] : []),
    command(vscode.l10n.t('Logs'), 'moorage.showClassLogs'),
  ]
}

function runLens(exec: Found['execs'][number]): vscode.CodeLens {
  const title = vscode.l10n.t('$(play) Run this in…')
  return new vscode.CodeLens(rangeOf(exec), { title, command: 'moorage.runHere', arguments: [exec.argv] })
}

function rangeOf({ line, column }: { readonly line: number; readonly column: number }): vscode.Range {
  return new vscode.Range(line, column, line, column)
}
