/** Which class of the code is which of the config. Files are parsed once per content. */
import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import * as vscode from 'vscode'
import type { Chooser } from '../actions/chosen.ts'
import type { Node } from '../explorer/nodes.ts'
import type { Target } from '../explorer/target.ts'
import type { Folder } from '../session/folder.ts'
import type { MoorageWindow } from '../window.ts'
import type { Found } from './found.ts'
import type { Parser } from './parse.ts'
import { type ClassPlace, placeOf } from './places.ts'

/** More files than these are not remembered. */
const MOST_KEPT = 200

export class Classes {
  readonly #parser: Parser
  readonly #kept = new Map<string, { readonly text: string; readonly found: Promise<Found | undefined> }>()

  constructor(parser: Parser) {
    this.#parser = parser
  }

  /** What is in a file; undefined where it cannot be parsed. */
  async parse(file: string, text: string): Promise<Found | undefined> {
    const known = this.#kept.get(file)
    if (known?.text === text) return known.found
    const found = this.#parser.parse(file, text).catch(() => undefined)
    this.#kept.delete(file)
    this.#kept.set(file, { text, found })
    const [oldest] = this.#kept.keys()
    if (this.#kept.size > MOST_KEPT && oldest !== undefined) this.#kept.delete(oldest)
    return found
  }

  /** The places of a folder's container classes, as far as they can be found. */
  async places({ model }: Folder): Promise<readonly ClassPlace[]> {
    const wanted = (model?.projects ?? []).flatMap(({ name, main }) =>
      (model?.classes ?? []).filter(({ project }) => project === name).map(({ className }) => ({ main, className })),
    )
    const found = await Promise.all(wanted.map(({ main, className }) => this.#placeOf(main, className)))
    return found.filter((place) => place !== undefined)
  }

  #placeOf(main: string, className: string): Promise<ClassPlace | undefined> {
    return placeOf(main, className, {
      parse: async (file) => {
        const text = await textOf(file)
        return text === undefined ? undefined : this.parse(file, text)
      },
      resolve: (from, specifier) => resolve(dirname(from), specifier),
    })
  }
}

/** As it stands in the editor, else on the disk. */
async function textOf(file: string): Promise<string | undefined> {
  const open = vscode.workspace.textDocuments.find(({ uri }) => uri.scheme === 'file' && uri.fsPath === file)
  return open?.getText() ?? readFile(file, 'utf8').catch(() => undefined)
}

/** @param window owns what is registered */
export function revealCommand(window: MoorageWindow, choose: Chooser, classes: Classes): void {
  window.command('moorage.revealClass', async (row?: Node | Target) => {
    const chosen = await choose.class(row)
    if (chosen === undefined) return
    const { className } = chosen.one
    const place = (await classes.places(chosen.folder)).find((one) => one.className === className)
    if (place === undefined) throw new Error(vscode.l10n.t('The class {0} was not found in the code.', className))
    const at = new vscode.Position(place.line, place.column)
    await vscode.window.showTextDocument(vscode.Uri.file(place.file), { selection: new vscode.Range(at, at) })
  })
}
