/** The whole tree of the Objects view as values: every folder that runs something, and what has changed since the last time. */
import type { ObjectModel, SessionModel } from '../../runtime/protocol/model.ts'
import type { Filter } from './filter.ts'
import { SessionRows } from './nodes.ts'
import type { Making } from './processes.ts'
import { changes, type Row } from './row.ts'
import { type Target, targetId } from './target.ts'

/** A folder, by its uri, and what its session knows. */
export interface Shown {
  readonly folder: string
  readonly model: SessionModel
}

/** So many targets are kept before those are looked for whose rows have gone. */
const KEPT_TARGETS = 2000

/** Follows models. Takes the time from `now`, in ms since the epoch. */
export class Objects {
  readonly #now: () => number
  readonly #sessions = new Map<string, SessionRows>()
  #targets = new Map<string, Target>()
  #sweepAt = KEPT_TARGETS
  #rows = new Map<string, Row>()
  #shown: readonly Shown[] = []
  #roots: readonly Row[] = []

  constructor(now: () => number = Date.now) {
    this.#now = now
  }

  get roots(): readonly Row[] {
    return this.#roots
  }

  /** Those of all folders, whether a filter shows them or not. */
  get objects(): readonly ObjectModel[] {
    return this.#shown.flatMap(({ model }) => model.objects)
  }

  /** What the session of a folder knows. */
  model(folder: string): SessionModel | undefined {
    return this.#shown.find((one) => one.folder === folder)?.model
  }

  /** Takes what is now; gives what of that which was asked for is other than before, `undefined` for the list of roots. */
  update(shown: readonly Shown[], filter: Filter): readonly (Target | undefined)[] {
    const before = this.#roots
    this.#shown = shown
    this.#rows = new Map()
    for (const folder of this.#sessions.keys()) {
      if (!shown.some((one) => one.folder === folder)) this.#sessions.delete(folder)
    }
    const withProjects = this.#hasProjects
    this.#roots = shown.flatMap(({ folder, model }) => {
      const session = this.#session(folder)
      return withProjects ? session.projects(model, filter) : session.classes(model, filter)
    })
    const changed = changes(before, this.#roots).map((row) => row?.target)
    if (this.#targets.size > this.#sweepAt) this.#sweep()
    return changed
  }

  /** The row of a target, or `undefined` where there is none (any more), or a filter hides it. */
  row(target: Target): Row | undefined {
    const id = targetId(target)
    const known = this.#rows.get(id)
    if (known !== undefined) return known
    const parent = this.parent(target)
    const siblings = parent === undefined ? this.#roots : (this.row(parent)?.children ?? [])
    for (const row of siblings) this.#rows.set(row.id, row)
    return this.#rows.get(id)
  }

  /** What a row lies below; `undefined` for a root. */
  parent(target: Target): Target | undefined {
    const { folder } = target
    switch (target.kind) {
      case 'project':
        return undefined
      case 'class':
        return this.#projectOf(folder, target.className)
      case 'image-failure':
        return this.#same({ kind: 'class', folder, className: target.className })
      case 'object': {
        const [className = ''] = target.object.split('/')
        return this.#same({ kind: 'class', folder, className })
      }
      case 'root':
        return this.#same({ kind: 'processes', folder, object: target.object })
      case 'process': {
        const one = this.model(folder)?.processes.find(({ id }) => id === target.process)
        const kind = one?.end === undefined ? 'processes' : 'finished'
        return this.#same({ kind, folder, object: target.object })
      }
      default:
        return this.#same({ kind: 'object', folder, object: target.object })
    }
  }

  #projectOf(folder: string, className: string): Target | undefined {
    if (!this.#hasProjects) return undefined
    const model = this.model(folder)
    const one = [...(model?.classes ?? []), ...(model?.plainClasses ?? [])].find((c) => c.className === className)
    return one === undefined ? undefined : this.#same({ kind: 'project', folder, project: one.project })
  }

  get #hasProjects(): boolean {
    return this.#shown.length > 1 || this.#shown.some(({ model }) => model.projects.length > 1)
  }

  #session(folder: string): SessionRows {
    const known = this.#sessions.get(folder)
    if (known !== undefined) return known
    const making: Making = { folder, now: () => this.#now(), same: (target) => this.#same(target) }
    const session = new SessionRows(making)
    this.#sessions.set(folder, session)
    return session
  }

  #same(target: Target): Target {
    const id = targetId(target)
    const known = this.#targets.get(id)
    if (known !== undefined) return known
    this.#targets.set(id, target)
    return target
  }

  /** Forgets targets whose rows have gone. */
  #sweep(): void {
    const live = new Map<string, Target>()
    const keep = (rows: readonly Row[]): void => {
      for (const row of rows) {
        live.set(row.id, row.target)
        keep(row.made ?? [])
      }
    }
    keep(this.#roots)
    this.#targets = live
    this.#sweepAt = Math.max(KEPT_TARGETS, 2 * live.size)
  }
}
