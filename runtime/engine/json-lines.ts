/** A stream of JSON values, one after the other, as the engine sends progress and events. */

/** Yields the values as they come. Rejects where a line is no JSON, or the source fails; an unfinished last line is parsed too. */
export async function* jsonLines(source: AsyncIterable<Buffer | string>): AsyncGenerator<unknown> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of source) {
    rest += typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true })
    let end = rest.indexOf('\n')
    if (end < 0) continue
    let start = 0
    for (; end >= 0; start = end + 1, end = rest.indexOf('\n', start)) {
      const line = rest.slice(start, end).trim()
      if (line) yield JSON.parse(line)
    }
    rest = rest.slice(start)
  }
  if (rest.trim()) yield JSON.parse(rest)
}
