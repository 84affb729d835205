/** A command line as its words: quotes and backslashes as in a shell, and nothing else of one. */

/** `node "a b.mjs" it\'s` -> `['node', 'a b.mjs', "it's"]`. A quote that is not closed reaches to the end. */
export function words(line: string): readonly string[] {
  const found: string[] = []
  let word: string | undefined
  let quote: string | undefined
  for (let at = 0; at < line.length; at++) {
    const char = line[at] ?? ''
    if (quote === "'") {
      if (char === quote) quote = undefined
      else word += char
    } else if (char === '\\' && at + 1 < line.length) {
      at += 1
      word = (word ?? '') + line[at]
    } else if (quote === '"') {
      if (char === quote) quote = undefined
      else word += char
    } else if (char === "'" || char === '"') {
      quote = char
      word ??= ''
    } else if (/\s/.test(char)) {
      if (word !== undefined) found.push(word)
      word = undefined
    } else word = (word ?? '') + char
  }
  if (word !== undefined) found.push(word)
  return found
}
