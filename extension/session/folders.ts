/** All folders of the window with their sessions; the views are functions of this. */
import * as vscode from 'vscode'
import type { ObjectKey, SessionEvent, SessionModel } from '../../runtime/index.ts'
import { CONFIG_FILES } from '../contributes/keys.ts'
import { Folder } from './folder.ts'

/** However much happens, views are told at most this often: once in so many ms. */
const TELL_MS = 100

/** An event, and where it happened. */
export interface FolderEvent {
  readonly folder: Folder
  readonly event: SessionEvent
  readonly model: SessionModel
}

/** Follows the folders of the workspace. */
export class Folders implements vscode.Disposable {
  readonly #dist: string
  readonly #all = new Map<string, Folder>()
  readonly #changed = new vscode.EventEmitter<undefined>()
  readonly #happened = new vscode.EventEmitter<FolderEvent>()
  readonly #noticed = new vscode.EventEmitter<string>()
  readonly #listening: vscode.Disposable
  #telling: NodeJS.Timeout | undefined
  #toldAt = 0
  #looked: Promise<void> = Promise.resolve()

  /** Something is other than before, in any folder; at most ten times a second. */
  readonly onDidChange = this.#changed.event
  /** Every event of every session, at once. */
  readonly onEvent = this.#happened.event
  /** What is done on this machine beside the sessions. */
  readonly onNotice = this.#noticed.event

  /** @param dist the folder with the built files */
  constructor(dist: string) {
    this.#dist = dist
    const watcher = vscode.workspace.createFileSystemWatcher(`**/{${CONFIG_FILES.join(',')}}`, false, true, false)
    this.#listening = vscode.Disposable.from(
      watcher,
      watcher.onDidCreate(() => void this.look()),
      watcher.onDidDelete(() => void this.look()),
      vscode.workspace.onDidChangeWorkspaceFolders(() => void this.look()),
    )
  }

  get all(): readonly Folder[] {
    return [...this.#all.values()]
  }

  /** Those with a config. */
  get withConfig(): readonly Folder[] {
    return this.all.filter(({ configs }) => configs.length > 0)
  }

  at(uri: string): Folder | undefined {
    return this.#all.get(uri)
  }

  /** The folder in whose session an object is; of several the one that was opened first. */
  ofObject(key: ObjectKey): Folder | undefined {
    return this.all.find((folder) => folder.object(key) !== undefined)
  }

  /** Resolves when the folders and their configs are known. */
  get looked(): Promise<void> {
    return this.#looked
  }

  /** Looks at the workspace's folders and their configs. The session of a folder that has gone is ended. */
  look(): Promise<void> {
    this.#looked = this.#look()
    return this.#looked
  }

  async #look(): Promise<void> {
    const there = vscode.workspace.workspaceFolders ?? []
    const uris = new Set(there.map(({ uri }) => uri.toString()))
    for (const [uri, folder] of this.#all) {
      if (uris.has(uri)) continue
      this.#all.delete(uri)
      void folder.stop().catch(() => undefined)
    }
    for (const one of there) {
      const uri = one.uri.toString()
      if (!this.#all.has(uri)) this.#all.set(uri, this.#folder(one))
    }
    await Promise.all(this.all.map((folder) => folder.look()))
    this.#tell()
  }

  /** Ends every session. Resolves when nothing is left of them. */
  async stop(): Promise<void> {
    await Promise.all(this.all.map((folder) => folder.stop()))
  }

  dispose(): void {
    clearTimeout(this.#telling)
    this.#listening.dispose()
    for (const emitter of [this.#changed, this.#happened, this.#noticed]) emitter.dispose()
  }

  #folder(one: vscode.WorkspaceFolder): Folder {
    const folder: Folder = new Folder(one, this.#dist, {
      changed: () => this.#tell(),
      event: (event, model) => this.#happened.fire({ folder, event, model }),
      notice: (text) => this.#noticed.fire(text),
    })
    return folder
  }

  #tell(): void {
    if (this.#telling !== undefined) return
    const wait = Math.max(0, this.#toldAt + TELL_MS - performance.now())
    this.#telling = setTimeout(() => {
      this.#telling = undefined
      this.#toldAt = performance.now()
      this.#changed.fire(undefined)
    }, wait)
  }
}
