/** Files of containers as documents that are only read: `moorage-file:/app/server.mjs?{"folder":…,"object":…}`. */
import * as vscode from 'vscode'
import type { ObjectKey } from '../../runtime/index.ts'
import { schemes } from '../contributes/keys.ts'
import type { Folders } from '../session/folders.ts'

/** A file is asked for its size first and read then: it is kept this long, in ms. */
const KEPT_MS = 2000

/** The document of a file. */
export function fileUri(folder: vscode.Uri, object: ObjectKey, path: string): vscode.Uri {
  return vscode.Uri.from({ scheme: schemes.file, path, query: JSON.stringify({ folder: folder.toString(), object }) })
}

/** Reads files through the session that the object is in. */
export class ContainerFiles implements vscode.FileSystemProvider {
  readonly #folders: Folders
  readonly #kept = new Map<string, Promise<Uint8Array>>()
  readonly onDidChangeFile = new vscode.EventEmitter<vscode.FileChangeEvent[]>().event

  constructor(folders: Folders) {
    this.#folders = folders
  }

  watch(): vscode.Disposable {
    return new vscode.Disposable(() => undefined)
  }

  async stat(uri: vscode.Uri): Promise<vscode.FileStat> {
    const { length } = await this.#read(uri)
    return { type: vscode.FileType.File, ctime: 0, mtime: 0, size: length, permissions: vscode.FilePermission.Readonly }
  }

  readFile(uri: vscode.Uri): Promise<Uint8Array> {
    return this.#read(uri)
  }

  readDirectory(uri: vscode.Uri): never {
    throw vscode.FileSystemError.NoPermissions(uri)
  }

  createDirectory(uri: vscode.Uri): never {
    throw vscode.FileSystemError.NoPermissions(uri)
  }

  writeFile(uri: vscode.Uri): never {
    throw vscode.FileSystemError.NoPermissions(uri)
  }

  delete(uri: vscode.Uri): never {
    throw vscode.FileSystemError.NoPermissions(uri)
  }

  rename(uri: vscode.Uri): never {
    throw vscode.FileSystemError.NoPermissions(uri)
  }

  #read(uri: vscode.Uri): Promise<Uint8Array> {
    const key = uri.toString()
    const known = this.#kept.get(key)
    if (known !== undefined) return known
    const read = this.#readNow(uri)
    this.#kept.set(key, read)
    const forget = (): void => void setTimeout(() => this.#kept.delete(key), KEPT_MS)
    read.then(forget, forget)
    return read
  }

  async #readNow(uri: vscode.Uri): Promise<Uint8Array> {
    const { folder, object } = JSON.parse(uri.query) as { folder: string; object: ObjectKey }
    const session = this.#folders.at(folder)?.session
    if (session === undefined) throw vscode.FileSystemError.Unavailable(vscode.l10n.t('Nothing is running.'))
    try {
      return await session.object(object).readFile(uri.path)
    } catch (error) {
      throw vscode.FileSystemError.FileNotFound(error instanceof Error ? error.message : uri)
    }
  }
}
