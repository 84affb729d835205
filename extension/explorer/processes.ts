/** The processes of an object's container as rows: those that run, and the last ones that ended. */
import * as l10n from '@vscode/l10n'
import type { ContainerState, ObjectModel, ProcessModel } from '../../runtime/protocol/model.ts'
import { signalName } from '../actions/signals.ts'
import { type Icon, Row } from './row.ts'
import { exit, FAILED } from './state.ts'
import type { Target } from './target.ts'
import { ago, commandLine, count, facts, nextMinute, nextSecond, shortAge } from './words.ts'

/** What rows are made with. */
export interface Making {
  readonly folder: string
  /** The time now, in ms since the epoch. */
  now(): number
  /** The same value for the same thing, as long as it is there: VS Code knows rows by identity. */
  same(target: Target): Target
}

const RUNNING: Icon = { name: 'circle-filled', color: 'charts.green' }
const TERMINAL: Icon = { name: 'terminal', color: 'charts.green' }
const MUTED = 'disabledForeground'

/** The groups Processes and Finished; an empty one is left out. */
export function processGroups(making: Making, object: ObjectModel, processes: readonly ProcessModel[]): readonly Row[] {
  const running = processes.filter(({ end }) => end === undefined)
  // The last one first: it is the one that is looked for.
  const ended = processes.filter(({ end }) => end !== undefined).reverse()
  const root = object.container.state === 'running' ? [object.container] : []
  const groups: Row[] = []
  if (root.length + running.length > 0) groups.push(runningGroup(making, object, root, running))
  if (ended.length > 0) groups.push(finishedGroup(making, object, ended))
  return groups
}

type Running = ContainerState & { readonly state: 'running' }

function runningGroup(
  making: Making,
  { key }: ObjectModel,
  root: readonly Running[],
  running: readonly ProcessModel[],
): Row {
  const amount = count(root.length + running.length)
  return new Row({
    target: making.same({ kind: 'processes', folder: making.folder, object: key }),
    label: l10n.t('Processes'),
    description: amount,
    icon: { name: 'server-process' },
    sentence: l10n.t('Processes: {0} running', amount),
    fold: 'open',
    children: () => [
      ...root.map((container) => rootRow(making, key, container)),
      ...running.map((process) => processRow(making, process)),
    ],
  })
}

function rootRow(making: Making, object: ObjectModel['key'], { root, since }: Running): Row {
  const nowMs = making.now()
  const label = root.length === 0 ? l10n.t('the app') : commandLine(root)
  const description = facts(pid(1), shortAge(since, nowMs))
  return new Row({
    target: making.same({ kind: 'root', folder: making.folder, object }),
    label,
    description,
    icon: RUNNING,
    sentence: l10n.t('Process {0}: {1}', label, spoken(description)),
    can: ['logs'],
    untilMs: nextSecond(since, nowMs),
  })
}

function processRow(making: Making, process: ProcessModel): Row {
  const nowMs = making.now()
  const { startedAt, by } = process
  return row(making, process, {
    description: facts(pid(process.pid), shortAge(startedAt, nowMs), byWord(by)),
    icon: by === 'person' ? TERMINAL : RUNNING,
    can: ['end'],
    untilMs: nextSecond(startedAt, nowMs),
  })
}

function finishedGroup(making: Making, { key }: ObjectModel, ended: readonly ProcessModel[]): Row {
  const failed = ended.filter(isFailed).length
  const description = facts(count(ended.length), failed > 0 ? l10n.t('{0} failed', count(failed)) : undefined)
  return new Row({
    target: making.same({ kind: 'finished', folder: making.folder, object: key }),
    label: l10n.t('Finished'),
    description,
    icon: { name: 'history' },
    sentence: l10n.t('Finished processes: {0}', spoken(description)),
    fold: 'closed',
    children: () => ended.map((process) => endedRow(making, process)),
  })
}

function endedRow(making: Making, process: ProcessModel): Row {
  const nowMs = making.now()
  const at = process.end?.at ?? nowMs
  return row(making, process, {
    description: facts(resultWord(process), ago(at, nowMs), byWord(process.by)),
    icon: resultIcon(process),
    can: [],
    untilMs: nextMinute(at, nowMs),
  })
}

function row(
  making: Making,
  { id, object, command }: ProcessModel,
  parts: { description: string; icon: Icon; can: readonly 'end'[]; untilMs: number },
): Row {
  const label = commandLine(command)
  return new Row({
    target: making.same({ kind: 'process', folder: making.folder, object, process: id }),
    label,
    sentence: l10n.t('Process {0}: {1}', label, spoken(parts.description)),
    ...parts,
  })
}

/** Facts as a screen reader takes them. */
export function spoken(description: string): string {
  return description.replaceAll(' · ', ', ')
}

function pid(number: number): string {
  return l10n.t('pid {0}', number)
}

function byWord(by: ProcessModel['by']): string {
  return by === 'person' ? l10n.t('you') : l10n.t('Worker')
}

/** What was ended by a signal did not fail by itself, nor what its container took along. */
function isFailed({ end }: ProcessModel): boolean {
  return end?.lost === undefined && end?.signal === undefined && (end?.exitCode ?? 0) !== 0
}

function resultIcon(process: ProcessModel): Icon {
  if (isFailed(process)) return FAILED
  const { signal, lost } = process.end ?? {}
  return { name: signal === undefined && lost === undefined ? 'check' : 'stop-circle', color: MUTED }
}

function resultWord({ end }: ProcessModel): string | undefined {
  if (end?.lost !== undefined) return l10n.t('ended with its container')
  if (end?.signal !== undefined) return signalName(end.signal)
  return end?.exitCode === undefined ? undefined : exit(end.exitCode)
}
