// What a person reads of a test run: a line a file, all failures once more at the end, and the count as the last line.

/**
 * @typedef {import('./file.mjs').FileResult} FileResult
 */

/**
 * One file, in one line; the failed tests of it in a line each.
 * @param {FileResult} result
 * @returns {string}
 */
export function fileLine({ file, lines, tookMs }) {
  const { passed, failed, skipped } = count(lines)
  const counts = [`${passed} passed`]
  if (failed > 0) counts.push(`${failed} failed`)
  if (skipped > 0) counts.push(`${skipped} skipped`)
  const head = `${failed > 0 ? 'FAIL' : 'ok  '} ${file}  ${counts.join(', ')}  ${(tookMs / 1000).toFixed(1)} s`
  return [head, ...failures(lines).map((line) => `       ✗ ${line.name}`)].join('\n')
}

/**
 * The end of the report. Its last line is `N passed, N failed`.
 * @param {readonly FileResult[]} results
 * @returns {string}
 */
export function summary(results) {
  const blocks = results.flatMap(failureBlocks)
  const { passed, failed, skipped } = count(results.flatMap((result) => result.lines))
  return [
    ...(blocks.length > 0 ? ['', 'Failures', '', ...blocks] : ['']),
    ...(skipped > 0 ? [`${skipped} skipped`] : []),
    `${passed} passed, ${failed} failed`,
  ].join('\n')
}

/**
 * Whether a run was a good one: something ran, and nothing failed.
 * @param {readonly FileResult[]} results
 */
export function isGood(results) {
  const { passed, failed } = count(results.flatMap((result) => result.lines))
  return failed === 0 && passed > 0
}

/** @param {FileResult} result @returns {string[]} */
function failureBlocks({ file, lines, output }) {
  const failed = failures(lines)
  const blocks = failed.map(({ name, error }) => `✗ ${file} › ${name}\n${indented(error ?? 'No reason was given.')}\n`)
  if (failed.length > 0 && output.trim() !== '') blocks.push(`  What ${file} printed:\n${indented(output.trim())}\n`)
  return blocks
}

/** @param {readonly import('./lines.mjs').Line[]} lines */
function failures(lines) {
  return lines.filter((line) => line.outcome === 'fail')
}

/** @param {readonly import('./lines.mjs').Line[]} lines */
function count(lines) {
  /** @param {string} outcome */
  const of = (outcome) => lines.filter((line) => line.outcome === outcome).length
  return { passed: of('pass'), failed: of('fail'), skipped: of('skip') }
}

/** @param {string} text */
function indented(text) {
  return text.replace(/^/gm, '    ')
}
