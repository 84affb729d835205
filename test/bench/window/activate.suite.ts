/** Runs in the extension host: what VS Code has noted of our activation. */
import * as vscode from 'vscode'
import { ask } from '../../vscode/rig/driver.ts'
import { runSteps } from '../../vscode/rig/suite.ts'

const ID = 'moorage.moorage'

interface Mark {
  readonly name: string
  readonly startTime: number
}

/** VS Code keeps its marks here, in every process. */
const marks = (globalThis as { MonacoPerformanceMarks?: { getMarks(): readonly Mark[] } }).MonacoPerformanceMarks

function at(name: string): number {
  const mark = marks?.getMarks().find((one) => one.name === `code/extHost/${name}/${ID}`)
  if (mark === undefined) throw new Error(`VS Code has no mark ${name}.`)
  return mark.startTime
}

export function run(): Promise<void> {
  return runSteps({
    'the extension is activated': async () => {
      await vscode.extensions.getExtension(ID)?.activate()
      await ask('activated', {
        loadMs: at('didLoadExtensionCode') - at('willLoadExtensionCode'),
        activateMs: at('didActivateExtension') - at('willActivateExtension'),
      })
    },
  })
}
