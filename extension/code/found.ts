/** What the parser finds in a file: plain values, since it works in a thread of its own. Lines and columns from 0. */

export interface Place {
  readonly line: number
  readonly column: number
}

/** A class that is declared in a file. */
export interface FoundClass extends Place {
  readonly name: string
  /** Whether it extends `Container` of @cloudflare/containers, by whatever name and over however many classes of the file. */
  readonly isContainer: boolean
}

/** `container.exec([...])` with nothing but literals in its list. */
export interface FoundExec extends Place {
  readonly argv: readonly string[]
}

/** A name that a module exports: of a class of its own, or of another module (`*`: all that it exports). */
export interface FoundExport {
  readonly name: string
  readonly local: string
  /** As it is written: `./sandbox`; undefined for one of its own. */
  readonly from: string | undefined
}

export interface Found {
  readonly classes: readonly FoundClass[]
  readonly execs: readonly FoundExec[]
  readonly exports: readonly FoundExport[]
}

export interface ParseRequest {
  readonly id: number
  readonly file: string
  readonly text: string
}

export type ParseAnswer =
  | { readonly id: number; readonly found: Found }
  | { readonly id: number; readonly error: string }
