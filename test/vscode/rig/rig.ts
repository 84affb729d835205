/** Runs a suite in a real VS Code. */
import { mkdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { build } from 'esbuild'
import { root } from '../../support/root.mjs'
import { DRIVER, listen } from './driver.ts'
import { startServer } from './server.ts'
import { openWindow, type Window } from './window.ts'

/** A suite has this time, in ms; less than the file that runs it. */
const LIMIT_MS = 200_000

/**
 * Starts VS Code on a folder, runs a suite in its extension host, and resolves with the names of its steps.
 * Rejects with what a step failed with.
 * @param options.suite path from the root of a module with `run()`
 * @param options.folder what is opened
 * @param options.settings settings of VS Code for this run
 * @param options.answer does what the suite asks for, in the window; `picture` is answered already
 */
export async function runSuite(options: {
  readonly suite: string
  readonly folder: string
  readonly settings?: Readonly<Record<string, unknown>>
  readonly answer: (question: string, detail: unknown, window: Window) => Promise<unknown>
}): Promise<readonly string[]> {
  const folder = process.env.MOORAGE_TEST_VSCODE
  if (folder === undefined) throw new Error('Run this by `npm run test:vscode`, which says where VS Code lies.')
  const suite = await builtSuite(options.suite)
  const opened = Promise.withResolvers<Window>()
  await using driver = await listen(async (question, detail) => {
    const window = await opened.promise
    return question === 'picture' ? window.picture(String(detail)) : options.answer(question, detail, window)
  })
  await using server = await startServer({
    folder,
    settings: options.settings ?? {},
    env: { [DRIVER]: driver.url },
  })
  await using window = await openWindow({ port: server.port, folder: options.folder, suite })
  opened.resolve(window)
  const outcome = await Promise.race([driver.outcome, later(LIMIT_MS)])
  if (outcome !== undefined && outcome.error === undefined) return outcome.steps
  if (outcome === undefined) await window.picture('failed')
  const reason =
    outcome?.error ?? `The suite did not end in ${LIMIT_MS / 1000} s. The server printed:\n${server.output()}`
  throw new Error(`${reason}\n.cache/screenshots/failed.png shows the window as it was.`)
}

function later(timeMs: number): Promise<undefined> {
  return new Promise((resolve) => setTimeout(resolve, timeMs, undefined).unref())
}

/** The suite as one CommonJS file, which is what the extension host can load. */
export async function builtSuite(suite: string): Promise<string> {
  const outfile = join(root, '.cache', 'vscode', basename(suite).replace(/\.ts$/, '.cjs'))
  await mkdir(join(root, '.cache', 'vscode'), { recursive: true })
  await build({
    entryPoints: [join(root, suite)],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node22.15',
    external: ['vscode'],
    sourcemap: 'inline',
    logLevel: 'silent',
  })
  return outfile
}
