/** The extension: everything that it opens is made here, and owned by the window. */
import * as l10n from '@vscode/l10n'
import * as vscode from 'vscode'
import { Chooser } from './actions/chosen.ts'
import { objectCommands } from './actions/objects.ts'
import { placeCommands } from './actions/places.ts'
import { portCommands } from './actions/ports.ts'
import type { MoorageApi } from './api.ts'
import { Classes, revealCommand } from './code/classes.ts'
import { LANGUAGES, Lenses } from './code/lenses.ts'
import { Parser } from './code/parse.ts'
import { schemes } from './contributes/keys.ts'
import { ObjectsTree } from './explorer/tree.ts'
import { sessionCommands, startAll } from './session/commands.ts'
import { tellFailures } from './session/failures.ts'
import type { Folder } from './session/folder.ts'
import { Folders } from './session/folders.ts'
import { showProblems } from './session/problems.ts'
import { showBuilds } from './session/progress.ts'
import { showStatus } from './session/status.ts'
import { attachCommand } from './terminal/attach.ts'
import { buildCommands } from './terminal/builds.ts'
import { ContainerFiles } from './terminal/files.ts'
import { PlaceLinks } from './terminal/links.ts'
import { logCommands } from './terminal/logs.ts'
import { OurTerminals } from './terminal/ours.ts'
import { shellCommands } from './terminal/shells.ts'
import { whyCommand } from './why/panel.ts'
import { MoorageWindow } from './window.ts'

let folders: Folders | undefined

/** Nothing here waits: a window that runs nothing opens as fast as without the extension. */
export function activate(context: vscode.ExtensionContext): MoorageApi {
  if (vscode.l10n.bundle !== undefined) l10n.config({ contents: vscode.l10n.bundle })
  const log = vscode.window.createOutputChannel('Moorage', { log: true })
  const all = new Folders(context.asAbsolutePath('dist'))
  folders = all
  const window = new MoorageWindow(context, all, log)
  const tree = new ObjectsTree(window)
  window.own(log, all, tree)
  sessionCommands(window)
  const choose = new Chooser(all, () => tree.selected)
  objectCommands(window, choose)
  portCommands(window, choose)
  placeCommands(window, choose)
  whyCommand(window, choose)
  const parser = new Parser(context.asAbsolutePath('dist'))
  const classes = new Classes(parser)
  const lenses = new Lenses(all, classes)
  revealCommand(window, choose, classes)
  window.own(parser, lenses, vscode.languages.registerCodeLensProvider(LANGUAGES, lenses))
  const ours = new OurTerminals()
  shellCommands(window, choose, ours)
  attachCommand(window, choose, ours)
  logCommands(window, choose, ours)
  buildCommands(window, choose, ours)
  window.own(
    ours,
    vscode.window.registerTerminalLinkProvider(new PlaceLinks(ours, all)),
    vscode.workspace.registerFileSystemProvider(schemes.file, new ContainerFiles(all), { isReadonly: true }),
  )
  showStatus(window)
  showBuilds(window)
  showProblems(window)
  tellFailures(window)
  void all.look().then(() => autoStart(window))
  return api(all, tree)
}

/** Starts by itself what the setting says, where the person has not to be asked first. */
async function autoStart(window: MoorageWindow): Promise<void> {
  const wanted = window.folders.withConfig.some(({ uri }) =>
    vscode.workspace.getConfiguration('moorage', uri).get<boolean>('autoStart'),
  )
  if (wanted && vscode.workspace.isTrusted) await startAll(window).catch((error: unknown) => window.tellError(error))
}

/** VS Code waits for this when the window closes: nothing of the sessions is left then. */
export async function deactivate(): Promise<void> {
  await folders?.stop()
}

function api(all: Folders, tree: ObjectsTree): MoorageApi {
  const folder = async (uri: vscode.Uri | undefined): Promise<Folder> => {
    await all.looked
    const found = uri === undefined ? all.withConfig[0] : all.at(uri.toString())
    if (found === undefined) throw new Error('There is no such folder with a wrangler config.')
    return found
  }
  return {
    version: 1,
    get sessions() {
      return all.all.flatMap(({ uri, session }) => (session === undefined ? [] : [{ folder: uri, session }]))
    },
    onDidChange: all.onDidChange,
    onEvent: (listener, self, disposables) =>
      all.onEvent(({ folder: { uri }, event }) => listener.call(self, { folder: uri, event }), undefined, disposables),
    async start(uri) {
      const one = await folder(uri)
      await one.start()
      if (one.session === undefined) throw new Error('Nothing was started.')
      return one.session
    },
    stop: async (uri) => (await folder(uri)).stop(),
    get nodes() {
      return tree.nodes
    },
    onDidChangeNodes: tree.onDidChangeNodes,
  }
}
