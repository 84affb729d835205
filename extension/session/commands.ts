/** Start and stop, and what follows from the state of the window's folders. */
import * as vscode from 'vscode'
import { contextKeys, type StateKey } from '../contributes/keys.ts'
import { isMoorageError } from '../errors.ts'
import type { MoorageWindow } from '../window.ts'
import type { Folder } from './folder.ts'
import { logEvent } from './log.ts'

export function sessionCommands(window: MoorageWindow): void {
  const { folders, log } = window
  window.command('moorage.start', () => start(folders.withConfig))
  window.command('moorage.stop', () => folders.stop())
  window.command('moorage.showLog', () => log.show())
  let told: StateKey | undefined
  const tell = (): void => {
    const state = stateOf(folders.all)
    if (state !== told) void vscode.commands.executeCommand('setContext', contextKeys.state, state)
    told = state
  }
  tell()
  window.own(
    folders.onDidChange(tell),
    folders.onEvent(({ event }) => logEvent(log, event)),
    folders.onNotice((text) => log.info(text)),
  )
}

async function start(folders: readonly Folder[]): Promise<void> {
  if (!vscode.workspace.isTrusted) {
    await vscode.commands.executeCommand('workbench.trust.manage')
    return
  }
  const started = await Promise.allSettled(folders.map((folder) => folder.start()))
  for (const result of started) if (result.status === 'rejected') throw result.reason
}

/** What the window is at: the best of its folders, by who has most to show. */
export function stateOf(folders: readonly Folder[]): StateKey {
  const states = folders.map(stateOfFolder)
  return RANK.find((state) => states.includes(state)) ?? 'none'
}

const RANK: readonly StateKey[] = [
  'running',
  'starting',
  'no-engine',
  'not-installed',
  'old-wrangler',
  'failed',
  'stopped',
  'no-containers',
  'none',
]

function stateOfFolder({ state, configs }: Folder): StateKey {
  if (state.state !== 'stopped' && state.state !== 'failed') return state.state
  if (state.state === 'stopped') return configs.length === 0 ? 'none' : 'stopped'
  const code = isMoorageError(state.error) ? state.error.code : undefined
  if (code === 'no-engine') return 'no-engine'
  if (code === 'no-wrangler') return 'not-installed'
  if (code === 'wrangler-too-old') return 'old-wrangler'
  if (code === 'no-containers') return 'no-containers'
  return 'failed'
}
