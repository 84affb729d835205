// All that `npm run check` checks, at the same time.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { root } from '../root.mjs'
import { BUDGETS, budgetProblems } from './budgets.mjs'
import { DOCUMENTS, documentProblems } from './documents.mjs'
import { manifestProblems } from './manifest.mjs'
import { ROOFS, roomProblems, TABLE } from './rooms.mjs'
import { textProblems } from './texts.mjs'

/** @type {[name: string, check: () => Promise<string[]>][]} */
const CHECKS = [
  // Built anew each time, which takes a second: an incremental build misses a changed `lib` and an added declaration file.
  ['types', () => tool('typescript/bin/tsc', ['-b', '--force', '--pretty', 'false'])],
  ['types of examples', () => tool('typescript/bin/tsc', ['-p', 'examples/quotes', '--pretty', 'false'])],
  [
    'lint and format',
    () =>
      tool('@biomejs/biome/bin/biome', [
        'check',
        '--reporter=concise',
        '--max-diagnostics=none',
        '--error-on-warnings',
        '.',
      ]),
  ],
  ['rooms', async () => roomProblems(await sources(), await read(TABLE))],
  ['manifest', () => manifestProblems()],
  ['texts', () => textProblems()],
  ['documents', async () => documentProblems(await documents(), (path) => existsSync(join(root, path)))],
  ['bundles', async () => budgetProblems(JSON.parse(await read(BUDGETS)))],
]

/**
 * Runs a tool of node_modules; what it prints is one problem if it fails.
 * @param {string} file below node_modules
 * @param {string[]} args
 * @returns {Promise<string[]>}
 */
function tool(file, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(root, 'node_modules', file), ...args], { cwd: root })
    let output = ''
    child.stdout.on('data', (chunk) => (output += chunk))
    child.stderr.on('data', (chunk) => (output += chunk))
    child.on('error', reject)
    child.on('close', (code) => resolve(code === 0 ? [] : problemsIn(output)))
  })
}

/**
 * The lines that say what is wrong; tools print more than that.
 * @param {string} output
 */
function problemsIn(output) {
  const lines = output.split('\n').filter((line) => line.trim() !== '')
  const problems = lines.filter((line) => /^[×!] |error TS/.test(line))
  return problems.length > 0 ? problems : lines
}

async function sources() {
  /** @type {Map<string, string>} */
  const found = new Map()
  for (const roof of ROOFS) {
    const files = await readdir(join(root, roof), { recursive: true }).catch(() => [])
    for (const file of files.sort()) {
      const path = `${roof}/${file.replaceAll('\\', '/')}`
      if (/(?<!\.d)\.tsx?$/.test(path) && !path.includes('/node_modules/')) found.set(path, await read(path))
    }
  }
  return found
}

async function documents() {
  const present = DOCUMENTS.filter((name) => existsSync(join(root, name)))
  return new Map(await Promise.all(present.map(async (name) => /** @type {const} */ ([name, await read(name)]))))
}

/** @param {string} path from the root */
function read(path) {
  return readFile(join(root, path), 'utf8')
}

/**
 * @typedef {object} CheckResult
 * @property {string} name
 * @property {readonly string[]} problems one message each; none: all is well
 * @property {number} tookMs
 */

/** @returns {Promise<CheckResult[]>} */
export function runChecks() {
  return Promise.all(
    CHECKS.map(async ([name, check]) => {
      const start = performance.now()
      const problems = await check()
      return { name, problems, tookMs: performance.now() - start }
    }),
  )
}
