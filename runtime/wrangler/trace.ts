/** From a stack of the bundled Worker to the line of the developer's own code. */
import { readFile } from 'node:fs/promises'
import { SourceMap } from 'node:module'
import { dirname, isAbsolute, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** What wrangler tells of a bundle, as far as it is used. */
export interface Bundle {
  readonly sourceMapPath?: string
  readonly sourceMapMetadata?: { readonly entryDirectory: string }
}

/** A place in a bundle, counted from 0. */
export interface Place {
  readonly line: number
  readonly column: number
}

/** The places of a stack, top first. */
export function placesOf(stack: string): Place[] {
  return [...stack.matchAll(/:(\d+):(\d+)\)?$/gm)].map(([, line, column]) => ({
    line: Number(line) - 1,
    column: Number(column) - 1,
  }))
}

/**
 * The first place of a stack that is the developer's own code, as `src/index.ts:21` from the project's folder.
 * @returns undefined where the bundle has no map, or nothing of the stack is theirs.
 */
export async function traceSource(stack: string, bundle: Bundle, folder: string): Promise<string | undefined> {
  const origin = await originsOf(bundle)
  for (const place of placesOf(stack)) {
    const found = origin?.(place)
    if (found === undefined) continue
    const path = relative(folder, found.file)
    const parts = path.split('/')
    if (parts[0] === '..' || isAbsolute(path) || parts.some((part) => part === 'node_modules' || part === '.wrangler'))
      continue
    return `${path}:${found.line + 1}`
  }
  return undefined
}

/** A place in the bundle, as workerd tells it of a Worker that cannot be loaded. */
const PLACE_IN_ENTRY = /^(\s*at (?:.+ \()?)[^\s(]*\.entry\.m?js:(\d+):(\d+)(\)| in .+)?$/

/**
 * A text in which lines of a stack lead into the developer's files instead of the bundle, paths from the project's folder.
 * @param isOurs whether a file is none of theirs: its lines are left out.
 */
export async function traceText(
  text: string,
  bundle: Bundle,
  folder: string,
  isOurs: (file: string) => boolean,
): Promise<string> {
  const lines = text.split('\n')
  if (!lines.some((line) => PLACE_IN_ENTRY.test(line))) return text
  const origin = await originsOf(bundle)
  return lines
    .flatMap((line) => {
      const [, before = '', row, column, after = ''] = PLACE_IN_ENTRY.exec(line) ?? []
      const found = row === undefined ? undefined : origin?.({ line: Number(row) - 1, column: Number(column) - 1 })
      if (found === undefined) return [line]
      if (isOurs(found.file)) return []
      return [`${before}${relative(folder, found.file)}:${found.line + 1}:${found.column + 1}${after}`]
    })
    .join('\n')
}

/** A place in a source file, counted from 0. */
interface Origin extends Place {
  readonly file: string
}

/** What leads from places in a bundle to those in its sources; undefined where it has no map. */
async function originsOf({
  sourceMapPath,
  sourceMapMetadata,
}: Bundle): Promise<((place: Place) => Origin | undefined) | undefined> {
  if (sourceMapPath === undefined || sourceMapMetadata === undefined) return undefined
  const file = resolve(sourceMapMetadata.entryDirectory, sourceMapPath)
  const payload = JSON.parse(await readFile(file, 'utf8')) as ConstructorParameters<typeof SourceMap>[0]
  const map = new SourceMap(payload)
  return ({ line, column }) => {
    const entry = map.findEntry(line, column)
    if (!('originalSource' in entry) || typeof entry.originalSource !== 'string') return undefined
    const source = pathOf(entry.originalSource, resolve(dirname(file), payload.sourceRoot ?? ''))
    return { file: source, line: entry.originalLine, column: entry.originalColumn }
  }
}

function pathOf(source: string, base: string): string {
  return source.startsWith('file:') ? fileURLToPath(source) : resolve(base, source)
}
