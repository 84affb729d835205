/** Runs in the extension host: Start until the first object shows, which is one that is stored, and the command line in turn. */
import * as vscode from 'vscode'
import type { MoorageApi } from '../../../extension/api.ts'
import { ask } from '../../vscode/rig/driver.ts'
import { runSteps, until } from '../../vscode/rig/suite.ts'

const ROUNDS = 5
/** No round begins later, in ms: a suite has its time. */
const LAST_MS = 120_000

export function run(): Promise<void> {
  return runSteps({
    'a session starts, and an object shows': async () => {
      const extension = vscode.extensions.getExtension<MoorageApi>('moorage.moorage')
      if (extension === undefined) throw new Error('The extension is not there.')
      const api = await extension.activate()
      await start(api)
      await stop()
      await ask('count-from-here')
      const began = performance.now()
      for (let round = 0; round < ROUNDS && performance.now() - began < LAST_MS; round++) {
        const both = [
          async () => {
            await ask('shown', await start(api))
            await stop()
          },
          () => ask('command-line'),
        ]
        for (const take of round % 2 === 0 ? both : both.reverse()) await take()
      }
    },
  })
}

/** From the command until an object has a row, in ms. An object that was never asked is asked. */
async function start(api: MoorageApi): Promise<number> {
  const begin = performance.now()
  const shown = until(
    () => api.nodes.some(({ children }) => children.length > 0) || undefined,
    (look) => {
      const listening = api.onDidChangeNodes(look)
      return () => listening.dispose()
    },
    'an object in the tree',
  )
  await vscode.commands.executeCommand('moorage.start')
  if (!stored) {
    await fetch(new URL('/shelf/alice/quotes/1', api.sessions[0]?.session.urls[0]))
    stored = true
  }
  await shown
  return performance.now() - begin
}

/** Whether the project has an object in its storage. */
let stored = false

async function stop(): Promise<void> {
  await vscode.commands.executeCommand('moorage.stop')
}
