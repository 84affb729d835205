/** Where a container class is written: from the config's main module over its exports, however they are renamed. */
import type { Found } from './found.ts'

/** More files than these are not followed. */
const MOST_FILES = 200

const EXTENSIONS = ['', '.ts', '.tsx', '.mts', '.js', '.jsx', '.mjs', '/index.ts', '/index.js']

/** A class, and its names elsewhere. */
export interface ClassPlace {
  /** The name that the config knows. */
  readonly className: string
  readonly file: string
  /** The name of the declaration. */
  readonly local: string
  readonly line: number
  readonly column: number
}

/** Files, as the search needs them. */
export interface Files {
  /** Undefined where there is no such file. */
  parse(file: string): Promise<Found | undefined>
  /** The path of a relative import, without an extension perhaps. */
  resolve(from: string, specifier: string): string
}

/**
 * The place of a class that a module exports.
 * @param main the absolute path of the module
 * @param className its exported name
 */
export async function placeOf(main: string, className: string, files: Files): Promise<ClassPlace | undefined> {
  const seen = new Set<string>()
  const at = async (file: string, name: string): Promise<ClassPlace | undefined> => {
    if (seen.has(`${file} ${name}`) || seen.size > MOST_FILES) return undefined
    seen.add(`${file} ${name}`)
    const found = await files.parse(file)
    if (found === undefined) return undefined
    const named = found.exports.filter((one) => one.name === name)
    for (const { local, from } of named.length > 0 ? named : found.exports.filter((one) => one.name === '*')) {
      if (from === undefined) {
        const declared = found.classes.find((one) => one.name === local)
        if (declared === undefined) continue
        return { className, file, local, line: declared.line, column: declared.column }
      }
      const elsewhere = await follow(file, from, local === '*' ? name : local)
      if (elsewhere !== undefined) return elsewhere
    }
    return undefined
  }
  const follow = async (from: string, specifier: string, name: string): Promise<ClassPlace | undefined> => {
    // A package's own classes are not the project's code.
    if (!specifier.startsWith('.')) return undefined
    const path = files.resolve(from, specifier)
    // `./sandbox.js` is written for sandbox.ts where TypeScript is compiled to modules.
    const bare = path.replace(/\.[cm]?jsx?$/, '')
    for (const candidate of new Set([...EXTENSIONS.map((end) => path + end), ...EXTENSIONS.map((end) => bare + end)])) {
      const place = await at(candidate, name)
      if (place !== undefined) return place
    }
    return undefined
  }
  return at(main, className)
}
