/** What the extension costs in a real VS Code: its activation, and a session in its extension host against the command line's. */
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { root } from '../support/root.mjs'
import { runSuite } from '../vscode/rig/rig.ts'
import { type Measured, median } from './bounds.ts'
import { DevProjects } from './dev.ts'

/** Windows that are opened, one after the other. */
const WINDOWS = 5

/** The median of some windows, in ms; VS Code's own marks, which are whole ms. */
export async function activation(): Promise<Measured> {
  await using projects = await DevProjects.copy()
  const times: number[] = []
  for (let window = 0; window < WINDOWS; window++) {
    await run('activate', projects.folder, async (question, detail) => {
      if (question !== 'activated') throw new Error(`Nobody knows what "${question}" means.`)
      const { loadMs, activateMs } = detail as { loadMs: number; activateMs: number }
      process.stderr.write(`  loaded in ${loadMs} ms, activated in ${activateMs} ms\n`)
      times.push(activateMs)
    })
  }
  return { value: median(times) }
}

/** The bundle that is loaded with the extension, in kB. */
export async function bundle(): Promise<Measured> {
  return { value: (await stat(join(root, 'dist', 'extension.cjs'))).size / 1000 }
}

/** The suite starts and stops in its window, and lets us start the command line on the same project in between. */
export async function windowStart(): Promise<Measured> {
  await using projects = await DevProjects.copy()
  const taken = { ours: [] as number[], theirs: [] as number[] }
  await run('start', projects.folder, async (question, detail) => {
    switch (question) {
      case 'command-line': {
        await using server = await projects.ours()
        process.stderr.write(`  the command line was ready after ${server.readyMs.toFixed(0)} ms\n`)
        taken.theirs.push(server.readyMs)
        return
      }
      case 'shown':
        process.stderr.write(`  an object showed after ${Number(detail).toFixed(0)} ms\n`)
        taken.ours.push(Number(detail))
        return
      // The first round builds the image, stores the object, and does not count.
      case 'count-from-here':
        taken.ours.length = 0
        taken.theirs.length = 0
        return
      default:
        throw new Error(`Nobody knows what "${question}" means.`)
    }
  })
  return taken
}

async function run(
  suite: string,
  folder: string,
  answer: (question: string, detail: unknown) => Promise<unknown>,
): Promise<void> {
  const settings = { 'moorage.buildArgs': { BASE: process.env.MOORAGE_TEST_BASE } }
  await runSuite({ suite: `test/bench/window/${suite}.suite.ts`, folder, settings, answer })
}
