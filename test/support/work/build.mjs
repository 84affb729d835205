// Building and checking, told like test files: what goes wrong there is counted as a failed test.
import process from 'node:process'
import { runChecks } from '../check/all.mjs'
import { root } from '../root.mjs'
import { run } from '../tools/command.mjs'

/**
 * Builds dist/, and runs the checks where `check` says so.
 * @param {boolean} check
 * @returns {Promise<import('../runner/file.mjs').FileResult[]>}
 */
export async function builtAndChecked(check) {
  const [build, checks] = await Promise.all([built(), check ? checked() : undefined])
  return checks === undefined ? [build] : [build, checks]
}

/** @returns {Promise<import('../runner/file.mjs').FileResult>} */
async function built() {
  const start = performance.now()
  const { code, output } = await run(process.execPath, ['build.mjs'], { cwd: root })
  const tookMs = performance.now() - start
  const name = 'builds every bundle'
  const line = code === 0 ? { name, tookMs } : { name, tookMs, error: output.trim() }
  return { file: 'build.mjs', lines: [{ outcome: code === 0 ? 'pass' : 'fail', ...line }], tookMs, output: '' }
}

/** @returns {Promise<import('../runner/file.mjs').FileResult>} */
async function checked() {
  const start = performance.now()
  const lines = (await runChecks()).map(({ name, problems, tookMs }) =>
    problems.length === 0
      ? { outcome: /** @type {const} */ ('pass'), name, tookMs }
      : { outcome: /** @type {const} */ ('fail'), name, tookMs, error: problems.join('\n') },
  )
  return { file: 'npm run check', lines, tookMs: performance.now() - start, output: '' }
}
