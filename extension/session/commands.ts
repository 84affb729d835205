/** Start and stop, and what else concerns a session as a whole. */
import * as vscode from 'vscode'
import { contextKeys, type StateKey } from '../contributes/keys.ts'
import type { MoorageWindow } from '../window.ts'
import { chooseEngine, showTried, startEngine, waitForEngine } from './engine.ts'
import type { Folder } from './folder.ts'
import { installDependencies } from './install.ts'
import { logEvent } from './log.ts'
import { stateOf } from './state.ts'

/** @param window owns all that is registered */
export function sessionCommands(window: MoorageWindow): void {
  const { folders, log } = window
  const start = (): Promise<void> => startAll(window)
  window.command('moorage.start', start)
  window.command('moorage.stop', () => folders.stop())
  window.command('moorage.showLog', () => log.show())
  window.command('moorage.menu', () => menu())
  window.command('moorage.openConfig', () => openConfig(folders.withConfig))
  window.command('moorage.openWalkthrough', () =>
    vscode.commands.executeCommand('workbench.action.openWalkthrough', 'moorage.moorage#start', false),
  )
  window.command('moorage.openWorker', () => openWorker(folders.all))
  window.command('moorage.restartWorker', () => each(folders.all, (folder) => folder.session?.reload()))
  window.command('moorage.rebuildImages', () => each(folders.all, (folder) => folder.session?.rebuild()))
  window.command('moorage.installDependencies', () => installDependencies(folders.withConfig, start))
  window.command('moorage.startEngine', () => startEngine())
  window.command('moorage.chooseEngine', () => chooseEngine(start))
  window.command('moorage.showTried', () => showTried(window))
  let told: StateKey | undefined
  let seen = false
  const tell = (): void => {
    if (!seen && folders.all.some(({ model }) => model !== undefined && model.objects.length > 0)) {
      seen = true
      void vscode.commands.executeCommand('setContext', contextKeys.seen, true)
    }
    const state = stateOf(folders.all)
    if (state === told) return
    told = state
    void vscode.commands.executeCommand('setContext', contextKeys.state, state)
  }
  tell()
  window.own(
    folders.onDidChange(tell),
    folders.onEvent(({ event }) => logEvent(log, event)),
    folders.onNotice((text) => log.info(text)),
    waitForEngine(window, start),
  )
}

/**
 * Starts a session in each folder with a config. In a folder that is not trusted nothing is run: the person is asked.
 * @throws what the first one failed with that no welcome view explains
 */
export async function startAll({ folders }: MoorageWindow): Promise<void> {
  if (!vscode.workspace.isTrusted) {
    await vscode.commands.executeCommand('workbench.trust.manage')
    return
  }
  await folders.looked
  const started = await vscode.window.withProgress({ location: { viewId: 'moorage.objects' } }, () =>
    Promise.allSettled(folders.withConfig.map((folder) => folder.start())),
  )
  const explained: readonly StateKey[] = ['no-engine', 'not-installed', 'old-wrangler', 'no-containers']
  if (explained.includes(stateOf(folders.all))) return void vscode.commands.executeCommand('moorage.objects.focus')
  for (const result of started) if (result.status === 'rejected') throw result.reason
}

async function each(folders: readonly Folder[], run: (folder: Folder) => Promise<void> | undefined): Promise<void> {
  await Promise.all(folders.map(run))
}

async function openConfig(folders: readonly Folder[]): Promise<void> {
  const configs = folders.flatMap((folder) => folder.configs)
  const [only] = configs
  if (only === undefined) return
  const chosen =
    configs.length === 1
      ? only
      : (
          await vscode.window.showQuickPick(
            configs.map((uri) => ({ label: vscode.workspace.asRelativePath(uri), uri })),
            { title: vscode.l10n.t('Which config?') },
          )
        )?.uri
  if (chosen !== undefined) await vscode.window.showTextDocument(chosen)
}

async function openWorker(folders: readonly Folder[]): Promise<void> {
  const urls = folders.flatMap(({ session }) => session?.urls ?? [])
  const url =
    urls.length <= 1 ? urls[0] : await vscode.window.showQuickPick(urls, { title: vscode.l10n.t('Which Worker?') })
  if (url !== undefined) await vscode.env.openExternal(await vscode.env.asExternalUri(vscode.Uri.parse(url)))
}

/** What the status bar offers before a start. */
async function menu(): Promise<void> {
  const items = [
    { label: `$(play) ${vscode.l10n.t('Start Containers')}`, command: 'moorage.start' },
    { label: `$(json) ${vscode.l10n.t('Open Wrangler Config')}`, command: 'moorage.openConfig' },
    { label: `$(output) ${vscode.l10n.t("Show Moorage's Own Log")}`, command: 'moorage.showLog' },
    { label: `$(book) ${vscode.l10n.t('Open Walkthrough')}`, command: 'moorage.openWalkthrough' },
  ]
  const chosen = await vscode.window.showQuickPick(items, { title: 'Moorage' })
  if (chosen !== undefined) await vscode.commands.executeCommand(chosen.command)
}
