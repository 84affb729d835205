/** Which object, class or process a command is for: its row, the selected row, or what the person picks. */
import * as vscode from 'vscode'
import type { ClassModel, ObjectKey, ObjectModel, ProcessModel, Session } from '../../runtime/index.ts'
import type { Node } from '../explorer/nodes.ts'
import type { Can, Target } from '../explorer/target.ts'
import { canOf } from '../explorer/target.ts'
import { shortId } from '../explorer/words.ts'
import type { Folder } from '../session/folder.ts'
import type { Folders } from '../session/folders.ts'

/** An object of a session that runs. */
export interface ChosenObject {
  readonly folder: Folder
  readonly session: Session
  readonly object: ObjectModel
  /** What people call it. */
  readonly name: string
}

/** A class of a session that runs. */
export interface ChosenClass {
  readonly folder: Folder
  readonly session: Session
  readonly one: ClassModel
}

/** A process of a session that runs. */
export interface ChosenProcess {
  readonly folder: Folder
  readonly session: Session
  readonly process: ProcessModel
  readonly object: ObjectModel | undefined
}

/** Finds what commands are for. `selected` is the row that keys mean. */
export class Chooser {
  readonly #folders: Folders
  readonly #selected: () => Target | undefined

  constructor(folders: Folders, selected: () => Target | undefined) {
    this.#folders = folders
    this.#selected = selected
  }

  /** The target of a command's argument: a row of the tree, or a target as links pass it; without any, the selected row. */
  target(argument: Node | Target | undefined): Target | undefined {
    if (argument === undefined || argument === null) return this.#selected()
    return 'icon' in argument ? argument.target : argument
  }

  /**
   * An object for which something can be done. Asks where several can be meant. Undefined where there is none, which the person
   * is told, or where they have chosen none.
   */
  async object(argument: Node | Target | undefined, can: Can | undefined): Promise<ChosenObject | undefined> {
    const target = this.target(argument)
    if (target !== undefined && 'object' in target) {
      const { session, folder } = this.#session(target.folder) ?? {}
      const object = folder?.object(target.object)
      if (folder !== undefined && session !== undefined && object !== undefined) return chosen(folder, session, object)
    }
    const className = target !== undefined && 'className' in target ? target.className : undefined
    return this.#ask(can, className)
  }

  /** A class; asks where several can be meant. */
  async class(argument: Node | Target | undefined): Promise<ChosenClass | undefined> {
    const target = this.target(argument)
    const all = this.#sessions().flatMap(({ folder, session }) =>
      session.model.classes.map((one): ChosenClass => ({ folder, session, one })),
    )
    const name =
      target === undefined
        ? undefined
        : 'className' in target
          ? target.className
          : 'object' in target
            ? this.#folders.at(target.folder)?.object(target.object)?.className
            : undefined
    const found = all.filter(({ one, folder }) => one.className === name && folder.uri.toString() === target?.folder)
    if (found[0] !== undefined) return found[0]
    if (all.length <= 1) return all[0]
    const items = all.map((choice) => ({ label: choice.one.className, description: choice.one.project, choice }))
    return (await vscode.window.showQuickPick(items, { title: vscode.l10n.t('Which class?') }))?.choice
  }

  /** A process that a row stands for, or one that the person picks among those that run. */
  async process(argument: Node | Target | undefined): Promise<ChosenProcess | undefined> {
    const target = this.target(argument)
    const all = this.#sessions().flatMap(({ folder, session }) =>
      session.model.processes.map(
        (process): ChosenProcess => ({ folder, session, process, object: folder.object(process.object) }),
      ),
    )
    if (target?.kind === 'process') return all.find(({ process }) => process.id === target.process)
    const running = all.filter(({ process }) => process.end === undefined)
    if (running.length === 0) {
      void vscode.window.showInformationMessage(vscode.l10n.t('No process runs.'))
      return undefined
    }
    const items = running.map((choice) => ({
      label: choice.process.command.join(' '),
      description: `${nameOf(choice.object)} · pid ${choice.process.pid}`,
      choice,
    }))
    return (await vscode.window.showQuickPick(items, { title: vscode.l10n.t('Which process?') }))?.choice
  }

  #session(uri: string): { readonly folder: Folder; readonly session: Session } | undefined {
    const folder = this.#folders.at(uri)
    const session = folder?.session
    return folder === undefined || session === undefined ? undefined : { folder, session }
  }

  #sessions(): readonly { readonly folder: Folder; readonly session: Session }[] {
    return this.#folders.all.flatMap((folder) =>
      folder.session === undefined ? [] : [{ folder, session: folder.session }],
    )
  }

  async #ask(can: Can | undefined, className: string | undefined): Promise<ChosenObject | undefined> {
    const all = this.#sessions().flatMap(({ folder, session }) =>
      session.model.objects
        .filter((object) => className === undefined || object.className === className)
        .filter((object) => can === undefined || canOf(object).includes(can))
        .map((object) => chosen(folder, session, object)),
    )
    if (all.length === 0) {
      void vscode.window.showInformationMessage(
        this.#sessions().length === 0
          ? vscode.l10n.t('Nothing is running. Start the containers first.')
          : vscode.l10n.t('There is no object that this can be done with now.'),
      )
      return undefined
    }
    if (all.length === 1) return all[0]
    const items = all.map((choice) => ({
      label: choice.name,
      description: `${choice.object.className} · ${choice.object.container.state}`,
      choice,
    }))
    items.sort((a, b) => a.label.localeCompare(b.label, 'en', { numeric: true }))
    return (await vscode.window.showQuickPick(items, { title: vscode.l10n.t('Which object?') }))?.choice
  }
}

function chosen(folder: Folder, session: Session, object: ObjectModel): ChosenObject {
  return { folder, session, object, name: nameOf(object) }
}

/** What people call an object. */
export function nameOf(object: Pick<ObjectModel, 'name' | 'id'> | undefined): string {
  return object === undefined ? '—' : (object.name ?? shortId(object.id))
}

/** The target of an object, for links and buttons. */
export function targetOf(folder: Folder, object: ObjectKey): Target {
  return { kind: 'object', folder: folder.uri.toString(), object }
}
