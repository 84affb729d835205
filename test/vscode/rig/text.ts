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
