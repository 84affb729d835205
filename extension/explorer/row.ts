/** A row of the tree as a value. What lies below it is made when it is asked for. */
import { type Can, type Target, targetId, viewItem } from './target.ts'

/** A codicon and a theme colour. */
export interface Icon {
  readonly name: string
  readonly color?: string
}

/** A row of the tree. */
export interface Node {
  /** Stays the same as long as the thing is the same, so that open rows stay open. */
  readonly id: string
  readonly target: Target
  readonly label: string
  readonly description: string
  readonly icon: Icon
  /** What a screen reader says. */
  readonly sentence: string
  /** What menus go by: see `viewItem`; empty where nothing can be done. */
  readonly menus: string
  /** Whether there is something below it, and whether that shows before anyone has opened it. */
  readonly fold: 'none' | 'closed' | 'open'
  /** Made when it is asked for. */
  readonly children: readonly Node[]
}

/** What a row is made of. */
export interface RowParts {
  readonly target: Target
  readonly label: string
  readonly description?: string
  readonly icon: Icon
  readonly sentence: string
  /** What menus may offer; `undefined`: nothing at all. Default: what its kind alone allows. */
  readonly can?: readonly Can[] | undefined
  readonly fold?: Node['fold']
  /** Until when its text is right, in ms since the epoch; for ever, if nothing is said. */
  readonly untilMs?: number
  children?(): readonly Row[]
}

/** A row, and until when it is right. */
export class Row implements Node {
  readonly id: string
  readonly target: Target
  readonly label: string
  readonly description: string
  readonly icon: Icon
  readonly sentence: string
  readonly menus: string
  readonly fold: Node['fold']
  readonly #untilMs: number
  readonly #make: (() => readonly Row[]) | undefined
  #children: readonly Row[] | undefined

  constructor(parts: RowParts) {
    this.id = targetId(parts.target)
    this.target = parts.target
    this.label = parts.label
    this.description = parts.description ?? ''
    this.icon = parts.icon
    this.sentence = parts.sentence
    this.menus = 'can' in parts && parts.can === undefined ? '' : viewItem(parts.target.kind, parts.can ?? [])
    this.fold = parts.fold ?? 'none'
    this.#untilMs = parts.untilMs ?? Number.POSITIVE_INFINITY
    this.#make = parts.children
  }

  get children(): readonly Row[] {
    this.#children ??= this.#make?.() ?? []
    return this.#children
  }

  /** What lies below it, if anyone has asked for that. */
  get made(): readonly Row[] | undefined {
    return this.#children
  }

  /** Until when this row and those made below it are right, in ms since the epoch. */
  get untilMs(): number {
    return (this.#children ?? []).reduce((until, child) => Math.min(until, child.untilMs), this.#untilMs)
  }
}

/**
 * The rows that are others than before, or have others below them; what lies below one of these is left out, since a view asks
 * for it again. `undefined` stands for the list itself. Below rows that nobody has opened nothing is compared, and nothing made.
 */
export function changes(before: readonly Row[], after: readonly Row[]): readonly (Row | undefined)[] {
  const all: (Row | undefined)[] = []
  if (sameList(before, after)) compare(before, after, all)
  else all.push(undefined)
  return all
}

function compare(before: readonly Row[], after: readonly Row[], all: (Row | undefined)[]): void {
  for (const [at, row] of after.entries()) {
    const old = before[at]
    if (old === undefined || old === row) continue
    if (!sameText(old, row) || (old.made !== undefined && !sameList(old.made, row.children))) all.push(row)
    else if (old.made !== undefined) compare(old.made, row.children, all)
  }
}

function sameList(before: readonly Row[], after: readonly Row[]): boolean {
  return before.length === after.length && before.every((row, at) => row.id === after[at]?.id)
}

function sameText(a: Row, b: Row): boolean {
  return (
    a.label === b.label &&
    a.description === b.description &&
    a.icon.name === b.icon.name &&
    a.icon.color === b.icon.color &&
    a.menus === b.menus &&
    a.fold === b.fold &&
    a.sentence === b.sentence
  )
}
