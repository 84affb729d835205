/** Runs in the extension host. */
import assert from 'node:assert/strict'
import * as vscode from 'vscode'
import { runSteps } from './rig/suite.ts'

export function run(): Promise<void> {
  return runSteps({
    'the extension activates': async () => {
      const extension = vscode.extensions.getExtension('moorage.moorage')
      assert(extension !== undefined)
      await extension.activate()
      assert(extension.isActive)
    },
  })
}
