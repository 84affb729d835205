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
  const { sourceMapPath, sourceMapMetadata } = bundle
  if (sourceMapPath === undefined || sourceMapMetadata === undefined) return undefined
  const file = resolve(sourceMapMetadata.entryDirectory, sourceMapPath)
  const payload = JSON.parse(await readFile(file, 'utf8')) as ConstructorParameters<typeof SourceMap>[0]
  const map = new SourceMap(payload)
  for (const { line, column } of placesOf(stack)) {
    const entry = map.findEntry(line, column)
    if (!('originalSource' in entry) || typeof entry.originalSource !== 'string') continue
    const source = pathOf(entry.originalSource, resolve(dirname(file), payload.sourceRoot ?? ''))
    const path = relative(folder, source)
    if (
      path.startsWith('..') ||
      isAbsolute(path) ||
      path.split('/').some((part) => part === 'node_modules' || part === '.wrangler')
    )
      continue
    return `${path}:${entry.originalLine + 1}`
  }
  return undefined
}

function pathOf(source: string, base: string): string {
  return source.startsWith('file:') ? fileURLToPath(source) : resolve(base, source)
}
