// Files that documents name have to exist.

/** Documents that are read for names of files. */
export const DOCUMENTS = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md']

/** Folders of this repository: only a name below one of them is taken for a file of ours when it stands in running text. */
const FOLDERS = ['runtime', 'extension', 'webview', 'test', 'examples', '.ci']

/**
 * The names of files and folders in a document: links to other files, and code that looks like a path of ours.
 * @param {string} text Markdown
 * @returns {{ name: string, line: number }[]}
 */
export function filesNamedIn(text) {
  const found = []
  for (const [index, line] of text.split('\n').entries()) {
    for (const match of line.matchAll(/\]\(([^)\s#]+)(?:#[^)]*)?\)/g)) {
      const name = match[1] ?? ''
      if (!/^[a-z][a-z0-9+.-]*:/i.test(name)) found.push({ name, line: index + 1 })
    }
    for (const match of line.matchAll(/`([^`\s]+)`/g)) {
      const name = (match[1] ?? '').replace(/:\d+$/, '')
      // `…`, `*` and `<name>` stand for something else than one file.
      if (/[*<>…{}$]/.test(name)) continue
      if (FOLDERS.some((folder) => name.startsWith(`${folder}/`))) found.push({ name, line: index + 1 })
    }
  }
  return found
}

/**
 * @param {Map<string, string>} documents name to text
 * @param {(path: string) => boolean} exists whether a path from the root is there
 * @returns {string[]} one message for each name of something that is not there
 */
export function documentProblems(documents, exists) {
  const problems = []
  for (const [document, text] of documents) {
    for (const { name, line } of filesNamedIn(text)) {
      if (!exists(name)) problems.push(`${document}:${line}: ${name} does not exist.`)
    }
  }
  return problems
}
