/**
 * Runs every suite of test/vscode that needs no page in a desktop VS Code, one after the other. MOORAGE_TEST_DESKTOP is its
 * executable. Prints a line a step, and ends with 1 where one failed.
 */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { runTests } from '@vscode/test-electron'
import { DRIVER, listen, type Outcome } from '../../vscode/rig/driver.ts'
import { builtSuite } from '../../vscode/rig/rig.ts'
import { QUIET } from '../../vscode/rig/server.ts'
import { root } from '../root.mjs'
import { BUILD_ARGS, copyFixture } from '../session.ts'
import { thisMachine } from '../tools/desktop.mjs'
import { launchArguments, needsPage } from '../tools/electron.mjs'

const FOLDER = join('test', 'vscode')

async function suites(): Promise<string[]> {
  const files = (await readdir(join(root, FOLDER))).filter((name) => name.endsWith('.suite.ts')).sort()
  const sources = await Promise.all(files.map((name) => readFile(join(root, FOLDER, name), 'utf8')))
  return files.filter((_, at) => !needsPage(sources[at] ?? '')).map((name) => join(FOLDER, name))
}

/** What a suite told at its end; VS Code's own exit code where it told nothing. */
async function run(executable: string, suite: string): Promise<Outcome> {
  await using project = await copyFixture('desk')
  const data = await mkdtemp(join(tmpdir(), 'moorage-desktop-'))
  try {
    await mkdir(join(data, 'User'))
    await writeFile(join(data, 'User', 'settings.json'), JSON.stringify({ ...QUIET, 'moorage.buildArgs': BUILD_ARGS }))
    // No page is here to be asked; a picture of what failed is wanted of nobody.
    await using driver = await listen(async () => null)
    const code = runTests({
      vscodeExecutablePath: executable,
      extensionDevelopmentPath: root,
      extensionTestsPath: await builtSuite(suite),
      extensionTestsEnv: { [DRIVER]: driver.url },
      launchArgs: launchArguments({ folder: project.folder, data, isRoot: thisMachine().isRoot }),
    })
    const silent = code.then(
      (exitCode) => ({ steps: [], error: `VS Code ended with ${exitCode} before the suite did.` }),
      (error: unknown) => ({ steps: [], error: String(error) }),
    )
    const outcome = await Promise.race([driver.outcome, silent])
    await silent
    return outcome
  } finally {
    await rm(data, { recursive: true, force: true, maxRetries: 5 })
  }
}

const executable = process.env.MOORAGE_TEST_DESKTOP
if (executable === undefined) throw new Error('Run this by `npm run test:electron`, which says where VS Code lies.')
let passed = 0
let failed = 0
for (const suite of await suites()) {
  process.stdout.write(`\n${basename(suite)}\n`)
  const { steps, error } = await run(executable, suite)
  for (const step of steps) process.stdout.write(`✓ ${step}\n`)
  passed += steps.length
  if (error === undefined) continue
  failed++
  process.stdout.write(`✗ ${error}\n`)
}
process.stdout.write(`\n${passed} passed, ${failed} failed\n`)
process.exitCode = failed === 0 && passed > 0 ? 0 : 1
