/** What people do with objects, their containers and processes. */
import * as vscode from 'vscode'
import type { Node } from '../explorer/nodes.ts'
import type { Can, Target } from '../explorer/target.ts'
import type { MoorageWindow } from '../window.ts'
import { type Chooser, type ChosenObject, nameOf } from './chosen.ts'
import { SIGNALS, signalNumber } from './signals.ts'

const TERM = 15

/** @param window owns all that is registered */
export function objectCommands(window: MoorageWindow, choose: Chooser): void {
  const on = (can: Can | undefined, run: (chosen: ChosenObject) => Promise<unknown>) => async (row?: Node | Target) => {
    const chosen = await choose.object(row, can)
    if (chosen !== undefined) await run(chosen)
  }
  const actions = ({ session, object }: ChosenObject) => session.object(object.key)

  window.command(
    'moorage.startContainer',
    on(
      'start',
      waiting(
        (name) => vscode.l10n.t('Starting {0}', name),
        (one) => actions(one).start(),
      ),
    ),
  )
  window.command(
    'moorage.restartContainer',
    on(
      'stop',
      waiting(
        (name) => vscode.l10n.t('Restarting {0}', name),
        (one) => actions(one).restart(),
      ),
    ),
  )
  window.command(
    'moorage.stopContainer',
    on('stop', (one) => actions(one).stop()),
  )
  window.command(
    'moorage.destroyContainer',
    on('destroy', async (one) => {
      if (await mayDestroy(one.name)) await actions(one).destroy()
    }),
  )
  window.command(
    'moorage.signalContainer',
    on('stop', async (one) => {
      const signal = await askSignal(one.name)
      if (signal !== undefined) await actions(one).signal(signal)
    }),
  )
  window.command(
    'moorage.expire',
    on('stop', (one) => actions(one).expire()),
  )
  window.command(
    'moorage.runAlarm',
    on('alarm', (one) => actions(one).runAlarm()),
  )
  window.command(
    'moorage.copyId',
    on(undefined, async ({ object }) => vscode.env.clipboard.writeText(object.id)),
  )
  window.command('moorage.rebuildImage', async (row?: Node | Target) => {
    const chosen = await choose.class(row)
    await chosen?.session.rebuild(chosen.one.className)
  })
  window.command('moorage.stopProcess', async (row?: Node | Target) => {
    const chosen = await choose.process(row)
    await chosen?.session.process(chosen.process.id).signal(TERM)
  })
  window.command('moorage.signalProcess', async (row?: Node | Target) => {
    const chosen = await choose.process(row)
    if (chosen === undefined) return
    const signal = await askSignal(`${nameOf(chosen.object)}: ${chosen.process.command.join(' ')}`)
    if (signal !== undefined) await chosen.session.process(chosen.process.id).signal(signal)
  })
}

/** Shows in the status bar that something takes its time. */
function waiting(
  title: (name: string) => string,
  run: (one: ChosenObject) => Promise<unknown>,
): (one: ChosenObject) => Promise<unknown> {
  return async (one) =>
    vscode.window.withProgress({ location: vscode.ProgressLocation.Window, title: title(one.name) }, () => run(one))
}

/** Asks once, unless the person has said never to ask. */
async function mayDestroy(name: string): Promise<boolean> {
  const settings = vscode.workspace.getConfiguration('moorage')
  if (settings.get<boolean>('confirmDestroy') === false) return true
  const [destroy, always] = [vscode.l10n.t('Destroy'), vscode.l10n.t("Destroy, and Don't Ask Again")]
  const answer = await vscode.window.showWarningMessage(
    vscode.l10n.t('Destroy the container of {0}?', name),
    {
      modal: true,
      detail: vscode.l10n.t('It ends at once, and what it wrote to its disk is lost. The object and its storage stay.'),
    },
    destroy,
    always,
  )
  if (answer === always) await settings.update('confirmDestroy', false, vscode.ConfigurationTarget.Global)
  return answer === destroy || answer === always
}

/** Any of 1..64: one of the list, or what the person types. */
async function askSignal(name: string): Promise<number | undefined> {
  const pick = vscode.window.createQuickPick<vscode.QuickPickItem & { readonly number: number }>()
  pick.title = vscode.l10n.t('Signal for {0}', name)
  pick.placeholder = vscode.l10n.t('A name, or a number of 1 to 64')
  const known = SIGNALS.map(({ name, number, use }) => ({ label: name, description: `${number} · ${use()}`, number }))
  pick.items = known
  pick.onDidChangeValue((text) => {
    const number = signalNumber(text)
    const typed = number !== undefined && !known.some((item) => item.number === number)
    pick.items = typed ? [{ label: text, description: `${number}`, number }, ...known] : known
  })
  try {
    return await new Promise<number | undefined>((resolve) => {
      pick.onDidAccept(() => resolve(pick.selectedItems[0]?.number))
      pick.onDidHide(() => resolve(undefined))
      pick.show()
    })
  } finally {
    pick.dispose()
  }
}
