// The relative imports of a source file, types included, found without a compiler: the check has to take seconds.
import { posix } from 'node:path'

/** `import … from '…'`, `export … from '…'` and `import '…'` at the start of a line, and `import('…')` anywhere. */
const IMPORTS = [
  /^[ \t]*(?:import|export)\b[^'"`;]*?\bfrom\s*(['"])([^'"]+)\1/gm,
  /^[ \t]*import\s*(['"])([^'"]+)\1/gm,
  /\bimport\(\s*(['"])([^'"]+)\1/g,
]

/**
 * The files that a file imports, and the lines where it does.
 * @param {string} file path from the root of the repository, with `/`
 * @param {string} text
 * @returns {{ target: string, line: number }[]} targets as paths from the root, in the order of their lines
 */
export function importsOf(file, text) {
  const found = []
  for (const pattern of IMPORTS) {
    for (const match of text.matchAll(pattern)) {
      const specifier = match[2] ?? ''
      if (!specifier.startsWith('.')) continue
      const line = text.slice(0, match.index + match[0].length).split('\n').length
      found.push({ target: posix.join(posix.dirname(file), specifier), line })
    }
  }
  return found.sort((a, b) => a.line - b.line)
}

/**
 * Circles of imports, each once, as the files on the way round.
 * @param {Map<string, readonly string[]>} graph file to the files it imports
 * @returns {string[][]} the first file of each is the first of it in alphabetical order
 */
export function circles(graph) {
  /** @type {Map<string, string[]>} */
  const found = new Map()
  /** @type {Set<string>} */
  const done = new Set()
  for (const start of [...graph.keys()].sort()) visit(start, [])
  return [...found.values()]

  /** @param {string} file @param {string[]} path */
  function visit(file, path) {
    const at = path.indexOf(file)
    if (at >= 0) {
      const circle = path.slice(at)
      const first = circle.indexOf([...circle].sort()[0] ?? '')
      const turned = [...circle.slice(first), ...circle.slice(0, first)]
      found.set(turned.join(' '), turned)
      return
    }
    if (done.has(file)) return
    for (const target of graph.get(file) ?? []) visit(target, [...path, file])
    done.add(file)
  }
}
