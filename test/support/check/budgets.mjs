// What a bundle may weigh. The table is budgets.json: bundle to kB (1,000 bytes). Built in memory, so dist/ stays as it is.
import { build } from 'esbuild'
import { bundles, root } from '../../../build.mjs'

/** Where the table lies, for messages. */
export const BUDGETS = 'test/support/check/budgets.json'

/**
 * Builds all bundles and says which cannot be built, which are over their budget, and what in them is heaviest.
 * @param {Record<string, number>} budgets bundle to kB
 * @returns {Promise<string[]>}
 */
export async function budgetProblems(budgets) {
  const results = await Promise.all(
    (await bundles()).map(async ({ executable: _, ...options }) => {
      try {
        const { metafile } = await build({ ...options, write: false, absWorkingDir: root, metafile: true })
        return overBudget(options.outfile, metafile, budgets[options.outfile])
      } catch (error) {
        return `${options.outfile}: ${error instanceof Error ? error.message : error}`
      }
    }),
  )
  return results.filter((problem) => problem !== undefined)
}

/**
 * @param {string} outfile
 * @param {import('esbuild').Metafile} metafile
 * @param {number | undefined} budgetKb
 * @returns {string | undefined} what is wrong, with the three heaviest packages or folders in the bundle
 */
export function overBudget(outfile, metafile, budgetKb) {
  const output = metafile.outputs[outfile]
  if (output === undefined) return `${outfile} was not built.`
  const sizeKb = Math.round(output.bytes / 1000)
  if (budgetKb === undefined) return `${outfile} has no budget: it weighs ${sizeKb} kB; add it to ${BUDGETS}.`
  if (sizeKb <= budgetKb) return undefined
  /** @type {Map<string, number>} */
  const weights = new Map()
  for (const [input, { bytesInOutput }] of Object.entries(output.inputs)) {
    const name = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(input)?.[1] ?? input.split('/').slice(0, 2).join('/')
    weights.set(name, (weights.get(name) ?? 0) + bytesInOutput)
  }
  const heaviest = [...weights].sort((a, b) => b[1] - a[1]).slice(0, 3)
  const words = heaviest.map(([name, bytes]) => `${name} ${Math.round(bytes / 1000)} kB`)
  return `${outfile} weighs ${sizeKb} kB, ${budgetKb} kB are allowed (${BUDGETS}). Heaviest: ${words.join(', ')}.`
}
