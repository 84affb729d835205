// The layers of tests, the quick ones first. A layer is a folder below test/.

/**
 * @typedef {'packages' | 'engine' | 'bases' | 'vscode'} Need what must be there before, see tools/
 * @typedef {object} Layer
 * @property {string} name folder below test/, and what `npm test -- <name>` says
 * @property {number} parallel files that run at the same time
 * @property {number} limitSeconds time for one file; then it and all that it started is ended, and it has failed
 * @property {readonly Need[]} needs
 */

/** @type {readonly Layer[]} */
export const LAYERS = [
  { name: 'unit', parallel: 2, limitSeconds: 120, needs: ['packages'] },
  { name: 'contract', parallel: 1, limitSeconds: 300, needs: ['packages', 'engine', 'bases'] },
  { name: 'integration', parallel: 1, limitSeconds: 300, needs: ['packages', 'engine', 'bases'] },
  { name: 'vscode', parallel: 1, limitSeconds: 300, needs: ['packages', 'engine', 'bases', 'vscode'] },
]

/**
 * Splits the words after `npm test --` into layers and parts of file names.
 * @param {readonly string[]} words
 * @returns {{ layers: readonly Layer[], parts: string[] }} all layers where none is named
 */
export function chosen(words) {
  const named = LAYERS.filter((layer) => words.includes(layer.name))
  const parts = words.filter((word) => !LAYERS.some((layer) => layer.name === word))
  return { layers: named.length > 0 ? named : LAYERS, parts }
}
