/** The extension: everything that it opens is made here, and owned by the window. */
import * as vscode from 'vscode'
import type { Session } from '../runtime/index.ts'
import { CONFIG_FILES, type CommandId, contextKeys } from './contributes.ts'
import type { Node } from './explorer/nodes.ts'
import { ObjectsTree } from './explorer/tree.ts'
import { chooseConfigs, findConfigs } from './session/configs.ts'
import { errorText, Running } from './session/running.ts'

/** What other extensions, and tests, get. */
export interface MoorageApi {
  /** The session of this window, if one runs. */
  readonly session: Session | undefined
  /** The rows of the Objects view. */
  readonly nodes: readonly Node[]
  /** Tells when they have become others. */
  readonly onDidChangeNodes: vscode.Event<undefined>
}

let running: Running | undefined

export async function activate(context: vscode.ExtensionContext): Promise<MoorageApi> {
  const log = vscode.window.createOutputChannel('Moorage', { log: true })
  const tree = new ObjectsTree()
  const own = new Running({
    dist: context.asAbsolutePath('dist'),
    log,
    onModel: (model) => tree.show(model),
    onFailed: (error) => void endFailed(own, error, log),
  })
  running = own

  const command = (id: CommandId, run: () => Promise<void>) =>
    vscode.commands.registerCommand(id, () => run().catch((error: unknown) => tellError(error, log)))
  const watcher = vscode.workspace.createFileSystemWatcher(`**/{${CONFIG_FILES.join(',')}}`, false, true, false)
  context.subscriptions.push(
    log,
    tree,
    command('moorage.start', () => start(own)),
    command('moorage.stop', () => own.stop()),
    watcher,
    watcher.onDidCreate(() => lookForProjects()),
    watcher.onDidDelete(() => lookForProjects()),
  )
  await lookForProjects()
  return {
    get session() {
      return own.session
    },
    get nodes() {
      return tree.nodes
    },
    onDidChangeNodes: tree.onDidChangeTreeData,
  }
}

/** VS Code waits for this when the window closes: nothing of the session is left then. */
export async function deactivate(): Promise<void> {
  await running?.stop()
}

async function start(running: Running): Promise<void> {
  if (!vscode.workspace.isTrusted) {
    await vscode.commands.executeCommand('workbench.trust.manage')
    return
  }
  const configs = await chooseConfigs()
  if (configs === undefined) return
  await vscode.window.withProgress({ location: { viewId: 'moorage.objects' } }, () => running.start(configs))
}

async function lookForProjects(): Promise<void> {
  const found = await findConfigs()
  await vscode.commands.executeCommand('setContext', contextKeys.hasProject, found.length > 0)
}

/** A session that cannot go on is ended before its person is told. */
async function endFailed(running: Running, error: Error, log: vscode.LogOutputChannel): Promise<void> {
  await running.stop().catch((late: unknown) => log.error(errorText(late)))
  await tellError(error, log)
}

async function tellError(error: unknown, log: vscode.LogOutputChannel): Promise<void> {
  const text = errorText(error)
  log.error(error instanceof Error ? (error.stack ?? text) : text)
  if ((await vscode.window.showErrorMessage(text, 'Show Log')) !== undefined) log.show()
}
