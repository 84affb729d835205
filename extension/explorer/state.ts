/** What an object is at, in an icon and in words. */
import * as l10n from '@vscode/l10n'
import type { ClassModel, ContainerState, ObjectModel, Phase } from '../../runtime/protocol/model.ts'
import type { Icon } from './row.ts'
import { type Can, canOf } from './target.ts'
import { age, ago, facts, hour, memory, nextMinute, nextSecond, oneLine, percent, shortAge } from './words.ts'

/** What a filter can ask for. */
export type StateName = 'running' | 'starting' | 'stopping' | 'failed' | 'stopped' | 'asleep'

/** What can be seen of an object. */
export interface ObjectState {
  readonly name: StateName
  readonly icon: Icon
  readonly description: string
  readonly can: readonly Can[]
  /** Until when the description is right, in ms since the epoch. */
  readonly untilMs: number
}

export const SPINNING: Icon = { name: 'loading~spin', color: 'charts.blue' }
export const FAILED: Icon = { name: 'error', color: 'charts.red' }
const RUNNING: Icon = { name: 'vm-running', color: 'charts.green' }
const ASLEEP: Icon = { name: 'vm-outline', color: 'disabledForeground' }
const STOPPED: Icon = { name: 'vm' }

/** More of a reason than this stands in the tooltip. */
const REASON_LENGTH = 120

/** The state of an object that is in memory and has no container counts as stopped, and of one whose start failed as failed. */
export function stateName({ container, memory }: ObjectModel): StateName {
  const { state } = container
  return state !== 'none' && state !== 'stopped' ? state : memory === 'asleep' ? 'asleep' : 'stopped'
}

/** A filter's word for a state. */
export function stateWord(name: StateName): string {
  const words: Record<StateName, string> = {
    running: l10n.t('running'),
    starting: l10n.t('starting'),
    stopping: l10n.t('stopping'),
    failed: l10n.t('failed'),
    stopped: l10n.t('stopped'),
    asleep: l10n.t('asleep'),
  }
  return words[name]
}

export function stateIcon(object: ObjectModel): Icon {
  const icons: Record<StateName, Icon> = {
    running: RUNNING,
    starting: SPINNING,
    stopping: SPINNING,
    failed: FAILED,
    stopped: STOPPED,
    asleep: ASLEEP,
  }
  return icons[stateName(object)]
}

/** @param one its class, for what its image means to it */
export function stateOf(object: ObjectModel, one: ClassModel, nowMs: number): ObjectState {
  const name = stateName(object)
  const { description, untilMs } = words(object, one, nowMs)
  // Without an image there is nothing to start.
  const can = canOf(object).filter((word) => word !== 'start' || !isImageMissing(one))
  return { name, icon: stateIcon(object), description, can, untilMs }
}

function words(object: ObjectModel, one: ClassModel, nowMs: number): { description: string; untilMs: number } {
  const { container, usage } = object
  switch (container.state) {
    case 'running': {
      const past = age(container.since, nowMs)
      const running = past === undefined ? l10n.t('running') : l10n.t('running {0}', past)
      const used = usage === undefined ? [] : [percent(usage.cpu), memory(usage.memoryBytes)]
      const image = one.image.state === 'failed' ? l10n.t('previous image') : undefined
      return { description: facts(running, image, ...used), untilMs: nextMinute(container.since, nowMs) }
    }
    case 'starting':
      return { description: facts(l10n.t('starting'), waitsFor(container.phase)), untilMs: Number.POSITIVE_INFINITY }
    case 'stopping': {
      const past = l10n.t('{0} {1} ago', container.how, shortAge(container.since, nowMs))
      return { description: facts(l10n.t('stopping'), past), untilMs: nextSecond(container.since, nowMs) }
    }
    case 'failed':
      return { description: endWords(container, nowMs), untilMs: nextMinute(container.end.at, nowMs) }
    case 'stopped':
    case 'none':
      return atRest(object, one, nowMs)
  }
}

/** An object without a container. */
function atRest(
  { memory, wokeAt, container }: ObjectModel,
  one: ClassModel,
  nowMs: number,
): { description: string; untilMs: number } {
  if (memory === 'asleep') {
    const woke = wokeAt === undefined ? undefined : l10n.t('woke {0}', hour(wokeAt, nowMs))
    return {
      description: facts(l10n.t('asleep'), woke),
      untilMs: wokeAt === undefined ? Number.POSITIVE_INFINITY : nextMinute(wokeAt, nowMs),
    }
  }
  if (isImageMissing(one)) {
    return { description: facts(l10n.t('stopped'), l10n.t('image missing')), untilMs: Number.POSITIVE_INFINITY }
  }
  return container.state === 'stopped'
    ? { description: endWords(container, nowMs), untilMs: nextMinute(container.end.at, nowMs) }
    : { description: l10n.t('not started'), untilMs: Number.POSITIVE_INFINITY }
}

/** Whether there is no image to start a container of. */
function isImageMissing({ image }: ClassModel): boolean {
  return image.state === 'failed' && image.previous === undefined
}

/** What a start waits for. */
export function waitsFor(phase: Phase): string {
  switch (phase) {
    case 'image':
      return l10n.t('waiting for its image')
    case 'create':
      return l10n.t('creating the container')
    case 'start':
      return l10n.t('starting the container')
    case 'agent':
      return l10n.t('waiting for the agent')
    case 'port':
      return l10n.t('waiting for its port')
  }
}

function endWords({ state, end }: ContainerState & { state: 'stopped' | 'failed' }, nowMs: number): string {
  const { reason } = end
  const when = ago(end.at, nowMs)
  const stopped = state === 'stopped' ? l10n.t('stopped') : undefined
  switch (reason.kind) {
    case 'exited':
    case 'signalled':
      return facts(stopped, exit(reason.exitCode), when)
    case 'idle':
      return facts(stopped, exit(reason.exitCode), when, l10n.t('idle'))
    case 'out-of-memory':
      return facts(exit(reason.exitCode), when, l10n.t('out of memory'))
    case 'start-failed':
      return facts(l10n.t('did not start'), when, oneLine(reason.message, REASON_LENGTH))
    default:
      return facts(l10n.t('stopped'), when, endWord(reason.kind))
  }
}

/** How a process ended. */
export function exit(code: number): string {
  return l10n.t('exit {0}', code)
}

/** Ends without an exit code of the app's own. */
function endWord(
  kind:
    | 'destroyed'
    | 'abort'
    | 'eviction'
    | 'image-rebuilt'
    | 'engine-gone'
    | 'session-ended'
    | 'removed-outside'
    | 'agent-lost',
): string {
  switch (kind) {
    case 'destroyed':
      return l10n.t('destroyed')
    case 'abort':
      return l10n.t('object aborted')
    case 'eviction':
      return l10n.t('object evicted')
    case 'image-rebuilt':
      return l10n.t('image rebuilt')
    case 'engine-gone':
      return l10n.t('engine gone')
    case 'session-ended':
      return l10n.t('session ended')
    case 'removed-outside':
      return l10n.t('removed from outside')
    case 'agent-lost':
      return l10n.t('agent lost')
  }
}
