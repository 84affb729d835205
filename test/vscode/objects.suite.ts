/** Runs in the extension host. */
import assert from 'node:assert/strict'
import * as vscode from 'vscode'
import type { MoorageApi } from '../../extension/api.ts'
import { ask } from './rig/driver.ts'
import { runSteps, until } from './rig/suite.ts'
import { masked, treeText } from './rig/text.ts'

const THEMES = [
  ['Default Light Modern', 'light'],
  ['Default High Contrast', 'high-contrast'],
] as const

/** The whole tree once alice was asked. */
const ALICE = `\
Quotes · 1 of 1 running
  alice · running · <part> % · <size> MB
    quotes-quotes:<digest> · basic · since <time>
    <part> % CPU, <size> MB · of ¼ vCPU, 1 GB
    8080 · http
    9090 · http
    Processes · 1
      node server.mjs · pid 1 · <age>
    Alarm · <when>`

export function run(): Promise<void> {
  let api: MoorageApi

  const tree = (wanted: RegExp) =>
    until(
      () => (wanted.test(treeText(api.nodes)) ? treeText(api.nodes) : undefined),
      (look) => {
        const listening = api.onDidChangeNodes(look)
        return () => listening.dispose()
      },
      `${wanted} in\n${treeText(api.nodes)}`,
    )

  return runSteps({
    'the extension activates': async () => {
      const extension = vscode.extensions.getExtension<MoorageApi>('moorage.moorage')
      assert(extension !== undefined)
      api = await extension.activate()
      assert.equal(api.sessions.length, 0)
    },

    'before the start the view offers to start': async () => {
      await vscode.commands.executeCommand('moorage.objects.focus')
      await ask('shows', 'Nothing is running yet.')
      await ask('picture', 'before-start-dark')
    },

    'moorage.start starts a session through the front door': async () => {
      await vscode.commands.executeCommand('moorage.start')
      assert.equal(api.sessions.length, 1)
      assert.equal(await tree(/^Quotes$/), 'Quotes')
    },

    'a request runs a container, and the tree lists all there is of it': async () => {
      const url = api.sessions[0]?.session.urls[0]
      const answer = await fetch(new URL('/shelf/alice/quotes/1', url))
      assert.equal(answer.status, 200, await answer.text())
      // A port is known to speak HTTP once it was asked.
      assert.equal((await fetch(new URL('/shelf/alice/metrics', url))).status, 200)
      assert.equal(masked(await tree(/ MB\n(.|\n)*9090 · http(.|\n)*Alarm/)), ALICE)
    },

    'the window shows the same rows, in each kind of theme': async () => {
      await ask('expand', 'alice')
      await ask('picture', 'objects-dark')
      for (const [theme, name] of THEMES) {
        await colorTheme(theme)
        await ask('picture', `objects-${name}`)
      }
    },

    'moorage.stop ends it and the view offers to start again': async () => {
      await vscode.commands.executeCommand('moorage.stop')
      assert.equal(api.sessions.length, 0)
      await ask('shows', 'Nothing is running yet.')
      assert.equal(treeText(api.nodes), '')
    },
  })
}

async function colorTheme(name: string): Promise<void> {
  const changed = new Promise<void>((resolve) => {
    const listening = vscode.window.onDidChangeActiveColorTheme(() => {
      listening.dispose()
      resolve()
    })
  })
  await vscode.workspace.getConfiguration('workbench').update('colorTheme', name, vscode.ConfigurationTarget.Global)
  await changed
}
