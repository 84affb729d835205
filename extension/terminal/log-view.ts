/** A log as a terminal: the past of its objects, then what comes, over restarts of containers and of sessions. */
import * as l10n from '@vscode/l10n'
import * as vscode from 'vscode'
import type { ObjectKey, ObjectModel } from '../../runtime/index.ts'
import { nameOf } from '../actions/chosen.ts'
import { clock } from '../explorer/words.ts'
import type { Folder } from '../session/folder.ts'
import type { FolderEvent, Folders } from '../session/folders.ts'
import { KEPT_LINES, plain, type ShownLine, withoutKnown, written } from './log-lines.ts'

/** Whose log. */
export type Choice =
  | { readonly kind: 'object'; readonly folder: string; readonly object: ObjectKey }
  | { readonly kind: 'class'; readonly folder: string; readonly className: string }
  | { readonly kind: 'all' }

/** Clears what is shown, what was scrolled away, and begins at the top. */
const CLEAR = '\x1b[2J\x1b[3J\x1b[H'

export class LogView implements vscode.Pseudoterminal {
  readonly #choice: Choice
  readonly #folders: Folders
  readonly #worker: () => readonly ShownLine[]
  readonly #written = new vscode.EventEmitter<string>()
  readonly onDidWrite = this.#written.event
  #lines: ShownLine[] = []
  #timestamps: boolean
  #listening: vscode.Disposable | undefined
  /** Objects whose history is being read, and what they wrote meanwhile. */
  readonly #reading = new Map<ObjectKey, ShownLine[]>()
  readonly #known = new Set<string>()

  /** @param worker the Workers' lines so far, with the folder that they come from */
  constructor(choice: Choice, folders: Folders, worker: () => readonly ShownLine[], timestamps: boolean) {
    this.#choice = choice
    this.#folders = folders
    this.#worker = worker
    this.#timestamps = timestamps
  }

  open(): void {
    this.#listening = vscode.Disposable.from(
      this.#folders.onEvent((happened) => this.#hear(happened)),
      this.#folders.onDidChange(() => void this.#look()),
    )
    for (const line of this.#worker()) this.#add(line)
    void this.#look()
  }

  close(): void {
    this.#listening?.dispose()
  }

  handleInput(): void {
    // Nothing to type into.
  }

  clear(): void {
    this.#lines = []
    this.#written.fire(CLEAR)
  }

  set timestamps(shown: boolean) {
    this.#timestamps = shown
    this.#paint()
  }

  /** What is kept, for a file. */
  text(): string {
    return this.#lines.map(plain).join('')
  }

  /** Reads the past of objects that were not there before. */
  async #look(): Promise<void> {
    const found = this.#folders.all.flatMap((folder) => {
      const { session } = folder
      if (session === undefined) return []
      return session.model.objects
        .filter((object) => this.#wants(folder, object))
        .filter((object) => object.container.state !== 'none' && !this.#known.has(`${session.id} ${object.key}`))
        .map((object) => ({ session, object }))
    })
    if (found.length === 0) return
    for (const { session, object } of found) {
      this.#known.add(`${session.id} ${object.key}`)
      this.#reading.set(object.key, [])
    }
    const past = await Promise.all(
      found.map(async ({ session, object }) => {
        const lines = await session
          .object(object.key)
          .logs()
          .catch(() => [])
        const from = nameOf(object)
        const history = lines.map(({ at, stream, text }): ShownLine => ({ at, from, text, kind: stream }))
        const heard = withoutKnown(history, this.#reading.get(object.key) ?? [])
        this.#reading.delete(object.key)
        return [...history, ...heard]
      }),
    )
    const lines = past.flat()
    if (lines.length === 0) return
    this.#lines = [...this.#lines, ...lines].sort((a, b) => a.at - b.at).slice(-KEPT_LINES)
    this.#paint()
  }

  #wants({ uri }: Folder, { key, className }: ObjectModel): boolean {
    const choice = this.#choice
    if (choice.kind === 'all') return true
    if (choice.folder !== uri.toString()) return false
    return choice.kind === 'object' ? choice.object === key : choice.className === className
  }

  #hear({ folder, event, model }: FolderEvent): void {
    if (event.type === 'worker-log') {
      if (this.#choice.kind !== 'all' && this.#choice.folder !== folder.uri.toString()) return
      this.#add(workerLine(event))
      return
    }
    if (event.type !== 'container-log' && event.type !== 'container') return
    const object = model.objects.find(({ key }) => key === event.object)
    if (object === undefined || !this.#wants(folder, object)) return
    const from = nameOf(object)
    if (event.type === 'container-log') {
      const line: ShownLine = { at: event.at, from, text: event.text, kind: event.stream }
      const reading = this.#reading.get(event.object)
      if (reading === undefined) this.#add(line)
      else reading.push(line)
      return
    }
    const { container } = event
    if (container.state === 'running') {
      this.#add({ at: event.at, from, text: l10n.t('started {0}', clock(container.since)), kind: 'mark' })
    } else if (container.state === 'stopped' || container.state === 'failed') {
      this.#add({ at: event.at, from, text: container.end.message, kind: 'mark' })
    }
  }

  #add(line: ShownLine): void {
    this.#lines.push(line)
    // Not at each line: a long list is copied.
    if (this.#lines.length > KEPT_LINES * 1.2) this.#lines = this.#lines.slice(-KEPT_LINES)
    this.#written.fire(this.#write(line))
  }

  #write(line: ShownLine): string {
    const own = this.#choice.kind === 'object' && line.from !== WORKER
    return written(line, { prefix: !own, timestamps: this.#timestamps })
  }

  #paint(): void {
    this.#written.fire(CLEAR + this.#lines.map((line) => this.#write(line)).join(''))
  }
}

/** How the Worker's lines are marked. */
export const WORKER = 'Worker'

/** A line of a Worker's console. */
export function workerLine({ at, level, text }: { at: number; level: string; text: string }): ShownLine {
  return { at, from: WORKER, text, kind: level === 'error' || level === 'warn' ? 'stderr' : 'stdout' }
}
