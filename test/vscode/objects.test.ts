import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { copyExample } from '../support/project.ts'
import { runSuite } from './rig/rig.ts'
import type { Window } from './rig/window.ts'

describe('the Objects view', () => {
  it('lists class, object and container of a session that runs in the extension host', async () => {
    await using project = await copyExample('quotes')
    await staysAwake(join(project.folder, 'src', 'index.ts'))
    const steps = await runSuite({
      suite: 'test/vscode/objects.suite.ts',
      folder: project.folder,
      settings: { 'moorage.buildArgs': { BASE: process.env.MOORAGE_TEST_BASE } },
      answer,
    })
    assert.deepEqual(steps, [
      'the extension activates',
      'before the start the view offers to start',
      'moorage.start starts a session through the front door',
      'a request runs a container, and the tree lists all there is of it',
      'the window shows the same rows, in each kind of theme',
      'moorage.stop ends it and the view offers to start again',
    ])
  })
})

/** Shelves sleep after 4 s without a request, which a busy machine may need to show one. */
async function staysAwake(file: string): Promise<void> {
  const code = await readFile(file, 'utf8')
  assert.match(code, /sleepAfter = '4s'/)
  await writeFile(file, code.replace("sleepAfter = '4s'", "sleepAfter = '10m'"))
}

/** What the suite cannot see or do from inside: the page. */
async function answer(question: string, detail: unknown, window: Window): Promise<unknown> {
  const text = String(detail)
  const sidebar = window.page.locator('.part.sidebar')
  switch (question) {
    case 'shows':
      return sidebar.getByText(text).first().waitFor()
    case 'expand': {
      const row = sidebar.getByRole('treeitem', { name: text })
      await row.click()
      await row.press('ArrowRight')
      return sidebar.getByRole('treeitem', { name: /since/ }).waitFor()
    }
    default:
      throw new Error(`Nobody knows what "${question}" means.`)
  }
}
