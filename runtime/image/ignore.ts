/** .dockerignore as Docker has it, which is not .gitignore: patterns start at the context's root, the last that matches decides, and a folder's match holds for all in it. */

/** Decides about paths of a build context. */
export interface IgnoreRules {
  /** Whether a path (relative, with `/`) is left out. */
  ignores(path: string): boolean
  /** Whether a folder that is left out may still hold something that a `!` brings back. */
  mayHoldExceptions(folder: string): boolean
}

interface Rule {
  readonly exception: boolean
  readonly pattern: string
  readonly regex: RegExp
}

/** Reads the text of a .dockerignore. Throws an Error that names the line of a pattern that is none. */
export function parseIgnore(text: string): IgnoreRules {
  const rules: Rule[] = []
  for (const [index, raw] of text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries()) {
    // Only a # in the first column is a comment.
    if (raw.startsWith('#')) continue
    let pattern = raw.trim()
    if (pattern === '') continue
    const exception = pattern.startsWith('!')
    if (exception) pattern = pattern.slice(1).trim()
    if (exception && pattern === '') throw new Error(`line ${index + 1}: "!" names nothing`)
    pattern = clean(pattern)
    try {
      rules.push({ exception, pattern, regex: new RegExp(toRegex(pattern), 's') })
    } catch {
      throw new Error(`line ${index + 1}: "${raw.trim()}" is no pattern`)
    }
  }
  const exceptions = rules.filter((rule) => rule.exception)
  return {
    ignores: (path) => {
      let ignored = false
      for (const rule of rules)
        if (rule.exception === ignored && matchesPathOrParent(rule.regex, path)) ignored = !ignored
      return ignored
    },
    // As BuildKit: an exception with a wildcard may be anywhere, a plain one only below its own folders.
    mayHoldExceptions: (folder) =>
      exceptions.some(
        ({ pattern }) =>
          /[*?[\\]/.test(pattern) || `${pattern}/`.startsWith(`${folder}/`) || `${folder}/`.startsWith(`${pattern}/`),
      ),
  }
}

function matchesPathOrParent(regex: RegExp, path: string): boolean {
  if (regex.test(path)) return true
  for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) {
    if (regex.test(path.slice(0, slash))) return true
  }
  return false
}

/** As Go's filepath.Clean, and without a leading slash: no `.`, `..` taken back, no double or trailing slashes. */
function clean(pattern: string): string {
  const parts: string[] = []
  for (const part of pattern.split('/')) {
    if (part === '' || part === '.') continue
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..') parts.pop()
    else if (part !== '..' || !pattern.startsWith('/')) parts.push(part)
  }
  return parts.join('/') || '.'
}

function toRegex(pattern: string): string {
  let regex = '^'
  for (let at = 0; at < pattern.length; at++) {
    const char = pattern[at] as string
    if (char === '*' && pattern[at + 1] === '*') {
      at++
      // `**/` is as `**`: any number of folders, also none.
      if (pattern[at + 1] === '/') at++
      regex += at + 1 >= pattern.length ? '.*' : '(.*/)?'
    } else if (char === '*') regex += '[^/]*'
    else if (char === '?') regex += '[^/]'
    else if (char === '\\') {
      const next = pattern[++at]
      regex += next === undefined ? '\\\\' : next.replace(/[^\w\s]/, '\\$&')
    } else if (char === '[') {
      const end = closing(pattern, at)
      if (end < 0) throw new Error('unclosed [')
      regex += `[${pattern.slice(at + 1, end).replace(/[[\]]/g, '\\$&')}]`
      at = end
    } else regex += /[.+()|{}$^/\]]/.test(char) ? `\\${char}` : char
  }
  return `${regex}$`
}

/** The `]` of a class that starts at `open`; -1 where there is none. Go takes a first `]` as its end only after something. */
function closing(pattern: string, open: number): number {
  let at = open + 1
  if (pattern[at] === '^') at++
  for (let first = true; at < pattern.length; at++, first = false) {
    if (pattern[at] === '\\') at++
    else if (pattern[at] === ']' && !first) return at
  }
  return -1
}
