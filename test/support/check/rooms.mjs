// Who may import whom. The table is rooms.json: a room, or one file of it, and the rooms and files that it may import. `*.ts` are
// the files that lie in no room: the parts of the session, straight below runtime/.
import { circles, importsOf } from './imports.mjs'

/** Where the table lies, for messages. */
export const TABLE = 'test/support/check/rooms.json'

/** Folders whose rooms the table describes; what lies in `runtime` is named without that prefix. */
export const ROOFS = ['runtime', 'extension', 'webview']

const ROOMLESS = '*.ts'

/**
 * Everything that is wrong with the imports of the sources, one message each: file and line, what is imported, and which line
 * of the table would have to be another one.
 * @param {Map<string, string>} sources path from the root to text
 * @param {string} tableText the text of rooms.json
 * @returns {string[]}
 */
export function roomProblems(sources, tableText) {
  /** @type {Record<string, string[]>} */
  const table = JSON.parse(tableText)
  const problems = []
  /** @type {Map<string, string[]>} */
  const graph = new Map()
  for (const [file, text] of sources) {
    const imports = importsOf(file, text)
    graph.set(
      file,
      imports.map((one) => one.target),
    )
    const key = keyOf(file, table)
    if (key === undefined) {
      problems.push(`${file}: no line of ${TABLE} says what "${shortName(file)}" may import; add one.`)
      continue
    }
    for (const { target, line } of imports) {
      const where = `${file}:${line}`
      if (/(^|\/)main\.tsx?$/.test(target)) problems.push(`${where}: ${target} is a process, and nobody imports one.`)
      else if (!mayImport(file, target, table[key] ?? [])) {
        problems.push(
          `${where}: "${key}" may not import ${target}. Import it elsewhere, or change ${TABLE}:${lineOf(tableText, key)}.`,
        )
      }
    }
  }
  for (const circle of circles(graph)) problems.push(`Circle of imports: ${[...circle, circle[0]].join(' -> ')}.`)
  return problems
}

/** @param {string} file @param {string} target @param {readonly string[]} allowed */
function mayImport(file, target, allowed) {
  if (roomOf(file) === roomOf(target) && shortName(target).includes('/')) return true
  const short = shortName(target)
  return allowed.some((entry) => {
    if (entry === ROOMLESS) return !short.includes('/')
    return entry.includes('.') ? short === entry : short.startsWith(`${entry}/`)
  })
}

/** The line of the table that holds for a file: its own if it has one, else its room's. @param {string} file @param {object} table */
function keyOf(file, table) {
  const short = shortName(file)
  return [short, short.includes('/') ? roomOf(file) : ROOMLESS].find((key) => key in table)
}

/** `runtime/engine/engine.ts` is `engine/engine.ts`. @param {string} file */
function shortName(file) {
  return file.replace(/^runtime\//, '')
}

/** The first folder below runtime/, or the roof itself. @param {string} file */
function roomOf(file) {
  return shortName(file).split('/')[0] ?? ''
}

/** @param {string} text @param {string} key */
function lineOf(text, key) {
  return text.split('\n').findIndex((line) => line.trimStart().startsWith(`"${key}":`)) + 1
}
