/** Which objects the view shows. */
import * as l10n from '@vscode/l10n'
import type { ObjectModel } from '../../runtime/protocol/model.ts'
import { type StateName, stateName, stateWord } from './state.ts'
import { count } from './words.ts'

/** All of it has to match. */
export interface Filter {
  /** Any of these; none: all. */
  readonly states: readonly StateName[]
  /** A part of the name or of the id, in small or capital letters; empty: any. */
  readonly text: string
}

export const NO_FILTER: Filter = { states: [], text: '' }

/** In the order in which they are offered. */
export const STATES: readonly StateName[] = ['running', 'starting', 'stopping', 'failed', 'stopped', 'asleep']

export function isFilterOn({ states, text }: Filter): boolean {
  return states.length > 0 || text !== ''
}

export function matches({ states, text }: Filter, object: ObjectModel): boolean {
  if (states.length > 0 && !states.includes(stateName(object))) return false
  if (text === '') return true
  const part = text.toLowerCase()
  return object.name?.toLowerCase().includes(part) === true || object.id.startsWith(part)
}

/** The filter in words: `failed, "ali"`. */
export function filterWords({ states, text }: Filter): string {
  return [...states.map(stateWord), ...(text === '' ? [] : [`"${text}"`])].join(', ')
}

/** How much of all it lets through: `4 of 1,000 objects shown`. */
export function shownWords(shown: number, all: number): string {
  return l10n.t('{0} of {1} objects shown', count(shown), count(all))
}

/** How many objects are in each state. */
export function countStates(objects: readonly ObjectModel[]): ReadonlyMap<StateName, number> {
  const counts = new Map<StateName, number>()
  for (const object of objects) counts.set(stateName(object), (counts.get(stateName(object)) ?? 0) + 1)
  return counts
}

/** A filter that was kept; what is not one is none. */
export function readFilter(kept: unknown): Filter {
  if (typeof kept !== 'object' || kept === null) return NO_FILTER
  const { states, text } = kept as Partial<Record<keyof Filter, unknown>>
  return {
    states: STATES.filter((name) => Array.isArray(states) && states.includes(name)),
    text: typeof text === 'string' ? text : '',
  }
}
