/** Places in lines of text: paths, with line and column. No VS Code here. */

/** A path with an extension, and where in it: `/app/server.mjs:41:10`, `test/charges.test.mjs:41`, `Dockerfile:8`. */
const PLACE =
  /(?:file:\/\/)?((?:\.{0,2}\/)?(?:[\w@.+-]+\/)*(?:[\w@+-][\w@.+-]*\.[A-Za-z]\w{0,7}|Dockerfile[\w.-]*))(?::(\d+)(?::(\d+))?)?/g

/** The links of a line of text: where they stand, and to what. */
export function placesIn(text: string): readonly {
  readonly start: number
  readonly length: number
  readonly path: string
  readonly line: number | undefined
  readonly column: number | undefined
}[] {
  return [...text.matchAll(PLACE)].flatMap((match) => {
    const [whole, path = '', line, column] = match
    // A name alone is a word, as in `node.js`; a path or a line makes it a place.
    if (line === undefined && !path.includes('/')) return []
    const number = (digits: string | undefined) => (digits === undefined ? undefined : Number(digits))
    return [{ start: match.index, length: whole.length, path, line: number(line), column: number(column) }]
  })
}
