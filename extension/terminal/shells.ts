/** Shells and commands in containers, in VS Code's own terminals. */
import * as vscode from 'vscode'
import type { Chooser, ChosenObject } from '../actions/chosen.ts'
import { TERMINAL_PROFILE } from '../contributes/keys.ts'
import type { Node } from '../explorer/nodes.ts'
import type { Target } from '../explorer/target.ts'
import type { MoorageWindow } from '../window.ts'
import type { OurTerminals } from './ours.ts'
import { commandName, ProcessTerminal } from './process.ts'
import { words } from './words.ts'

/** Remembered for "Run Command…", the last ones first. */
const KEPT_COMMANDS = 20
const COMMANDS_KEY = 'moorage.commands'

/** @param window owns all that is registered */
export function shellCommands(window: MoorageWindow, choose: Chooser, ours: OurTerminals): void {
  const open = (one: ChosenObject, argv: readonly string[], location?: vscode.TerminalOptions['location']): void => {
    const terminal = vscode.window.createTerminal({
      ...terminalOptions(one, argv),
      ...(location === undefined ? {} : { location }),
    })
    ours.add(terminal, { kind: 'container', folder: one.folder, object: one.object.key })
    terminal.show()
  }
  const shell = (location?: vscode.TerminalOptions['location']) => async (row?: Node | Target) => {
    const one = await choose.object(row, 'shell')
    if (one !== undefined) open(one, shellOf(one), location)
  }
  window.command('moorage.openShell', shell())
  window.command('moorage.openShellBeside', shell({ viewColumn: vscode.ViewColumn.Beside }))
  window.command('moorage.shellOfClass', shell())
  window.command('moorage.runCommand', async (row?: Node | Target) => {
    const one = await choose.object(row, 'shell')
    const argv = one === undefined ? undefined : await askCommand(window.context.workspaceState, one.name)
    if (one !== undefined && argv !== undefined) open(one, argv)
  })
  window.command('moorage.runHere', async (argv: readonly string[], row?: Target) => {
    const one = await choose.object(row, 'shell')
    if (one !== undefined) open(one, argv)
  })
  window.command('moorage.shellInImage', async (row?: Node | Target) => {
    const chosen = await choose.class(row)
    if (chosen === undefined) return
    const { session, one } = chosen
    const pty = new ProcessTerminal({
      of: one.className,
      open: (options) => session.execInImage(one.className, { argv: [], ...options }),
      lost: () => '',
      restart: async () => undefined,
    })
    vscode.window.createTerminal({ name: `${one.className}: ${vscode.l10n.t('image')}`, pty, iconPath: ICON }).show()
  })
  window.own(
    vscode.window.registerTerminalProfileProvider(TERMINAL_PROFILE, {
      async provideTerminalProfile() {
        const one = await choose.object(undefined, 'shell')
        return one === undefined ? undefined : new vscode.TerminalProfile(terminalOptions(one, shellOf(one)))
      },
    }),
  )
}

const ICON = new vscode.ThemeIcon('vm-running')

function terminalOptions(one: ChosenObject, argv: readonly string[]): vscode.ExtensionTerminalOptions {
  const { folder, session, object, name } = one
  const actions = session.object(object.key)
  const pty = new ProcessTerminal({
    of: name,
    open: (options) => actions.exec({ argv, ...options }),
    lost: () => {
      const container = folder.object(object.key)?.container
      return container?.state === 'stopped' || container?.state === 'failed' ? container.end.message : ''
    },
    restart: () => actions.start(),
  })
  const shown = argv.length === 0 ? vscode.l10n.t('shell') : commandName(argv)
  return { name: `${name}: ${shown}`, pty, iconPath: ICON }
}

/** The shell that the setting names; empty: the best one there is. */
function shellOf({ folder }: ChosenObject): readonly string[] {
  const shell = vscode.workspace.getConfiguration('moorage', folder.uri).get<string>('shell') ?? ''
  return shell === '' ? [] : words(shell)
}

async function askCommand(memory: vscode.Memento, name: string): Promise<readonly string[] | undefined> {
  const known = memory.get<readonly string[]>(COMMANDS_KEY) ?? []
  const pick = vscode.window.createQuickPick()
  pick.title = vscode.l10n.t('Run in {0}', name)
  pick.placeholder = vscode.l10n.t('A program and its arguments, as on a command line; no shell is used')
  const items = known.map((label) => ({ label }))
  pick.items = items
  pick.onDidChangeValue((text) => {
    pick.items = text === '' || known.includes(text) ? items : [{ label: text }, ...items]
  })
  try {
    const text = await new Promise<string | undefined>((resolve) => {
      pick.onDidAccept(() => resolve(pick.selectedItems[0]?.label ?? pick.value))
      pick.onDidHide(() => resolve(undefined))
      pick.show()
    })
    const argv = words(text ?? '')
    if (text === undefined || argv.length === 0) return undefined
    await memory.update(COMMANDS_KEY, [text, ...known.filter((other) => other !== text)].slice(0, KEPT_COMMANDS))
    return argv
  } finally {
    pick.dispose()
  }
}
