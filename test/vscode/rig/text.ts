/** The tree as text: a row a line, two spaces a level, facts after a middle dot. */
import type { Node } from '../../../extension/explorer/nodes.ts'

export function treeText(nodes: readonly Node[], depth = 0): string {
  return nodes
    .flatMap(({ label, description, children }) => {
      const row = `${'  '.repeat(depth)}${label}${description === '' ? '' : ` · ${description}`}`
      return children.length === 0 ? [row] : [row, treeText(children, depth + 1)]
    })
    .join('\n')
}

/** What is another in each run, by what it is. */
const VOLATILE: readonly (readonly [RegExp, string])[] = [
  [/\b\d\d:\d\d:\d\d\b/g, '<time>'],
  [/\b\d+ %/g, '<part> %'],
  [/\b\d+ MB\b/g, '<size> MB'],
  [/:[0-9a-f]{6}\b/g, ':<digest>'],
  [/· :\d+$/gm, '· :<port>'],
  [/\bpid \d{2,}\b/g, 'pid <pid>'],
  [/· \d+[smhd]\b/g, '· <age>'],
  [/Alarm · .+ · \w+$/gm, 'Alarm · <when>'],
]

/** A tree's text with a word for each number that nobody can foresee. */
export function masked(text: string): string {
  return VOLATILE.reduce((now, [what, word]) => now.replaceAll(what, word), text)
}
