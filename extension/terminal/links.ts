/** Places in terminals of ours, as links: files of the container, or of the project. */
import { dirname, isAbsolute, join, posix } from 'node:path'
import * as vscode from 'vscode'
import type { Folders } from '../session/folders.ts'
import { fileUri } from './files.ts'
import type { OurTerminals, Showing } from './ours.ts'
import { placesIn } from './places.ts'

interface Link extends vscode.TerminalLink {
  readonly path: string
  readonly line: number | undefined
  readonly column: number | undefined
  readonly showing: Showing
}

export class PlaceLinks implements vscode.TerminalLinkProvider<Link> {
  readonly #ours: OurTerminals
  readonly #folders: Folders

  constructor(ours: OurTerminals, folders: Folders) {
    this.#ours = ours
    this.#folders = folders
  }

  provideTerminalLinks({ line, terminal }: vscode.TerminalLinkContext): Link[] {
    const showing = this.#ours.at(terminal)
    if (showing === undefined) return []
    return placesIn(line).map(({ start, length, path, line, column }) => ({
      startIndex: start,
      length,
      tooltip:
        showing.kind === 'container' ? vscode.l10n.t('Open the file of the container') : vscode.l10n.t('Open the file'),
      path,
      line,
      column,
      showing,
    }))
  }

  async handleTerminalLink({ path, line, column, showing }: Link): Promise<void> {
    const selection =
      line === undefined ? undefined : new vscode.Selection(line - 1, (column ?? 1) - 1, line - 1, (column ?? 1) - 1)
    for (const uri of this.#candidates(path, showing)) {
      const there = await vscode.workspace.fs.stat(uri).then(
        ({ type }) => type === vscode.FileType.File,
        () => false,
      )
      if (!there) continue
      await vscode.window.showTextDocument(uri, { preview: true, ...(selection === undefined ? {} : { selection }) })
      return
    }
    void vscode.window.showInformationMessage(vscode.l10n.t('There is no file {0}.', path))
  }

  /** Where the file may be: of a shell in its container, of the Worker in the project. */
  #candidates(path: string, showing: Showing): readonly vscode.Uri[] {
    if (showing.kind === 'container') {
      const { folder, object } = showing
      const cwds = (folder.model?.processes ?? []).filter((one) => one.object === object).map(({ cwd }) => cwd)
      const roots = path.startsWith('/') ? ['/'] : [...new Set([...cwds.reverse(), '/app', '/'])]
      return roots.map((root) => fileUri(folder.uri, object, posix.resolve(root, path)))
    }
    if (isAbsolute(path)) return [vscode.Uri.file(path)]
    return this.#folders.all.flatMap(({ uri, configs }) =>
      [...configs.map((config) => dirname(config.fsPath)), uri.fsPath].map((root) => vscode.Uri.file(join(root, path))),
    )
  }
}
