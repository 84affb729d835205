/** Asks for a filter: states to tick, and a part of a name to type. */
import * as vscode from 'vscode'
import type { ObjectModel } from '../../runtime/protocol/model.ts'
import { countStates, type Filter, STATES } from './filter.ts'
import { type StateName, stateWord } from './state.ts'
import { count } from './words.ts'

interface StateItem extends vscode.QuickPickItem {
  readonly state: StateName
}

/** @param onChange hears each filter that is tried. @returns the one that was chosen; `undefined` where that was given up */
export async function askFilter(
  before: Filter,
  objects: readonly ObjectModel[],
  onChange: (filter: Filter) => void,
): Promise<Filter | undefined> {
  const pick = vscode.window.createQuickPick<StateItem>()
  pick.title = vscode.l10n.t('Filter Objects')
  pick.placeholder = vscode.l10n.t('Part of a name or id')
  pick.canSelectMany = true
  pick.items = itemsOf(objects, before)
  pick.selectedItems = pick.items.filter(({ state }) => before.states.includes(state))
  pick.value = before.text
  const filter = (): Filter => ({
    states: STATES.filter((name) => pick.selectedItems.some(({ state }) => state === name)),
    text: pick.value.trim(),
  })
  return new Promise((resolve) => {
    pick.onDidChangeValue(() => onChange(filter()))
    pick.onDidChangeSelection(() => onChange(filter()))
    pick.onDidAccept(() => {
      resolve(filter())
      pick.hide()
    })
    pick.onDidHide(() => {
      resolve(undefined)
      pick.dispose()
    })
    pick.show()
  })
}

function itemsOf(objects: readonly ObjectModel[], { states }: Filter): StateItem[] {
  const counts = countStates(objects)
  return STATES.filter((state) => counts.has(state) || states.includes(state)).map((state) => ({
    state,
    label: stateWord(state),
    description: count(counts.get(state) ?? 0),
    // What is typed is looked for in names of objects, not in these.
    alwaysShow: true,
  }))
}
