/** The row of an object, and what lies below it. */
import * as l10n from '@vscode/l10n'
import type { ClassModel, ObjectModel, PortModel, ProcessModel } from '../../runtime/protocol/model.ts'
import { type Making, processGroups, spoken } from './processes.ts'
import { Row } from './row.ts'
import { stateOf } from './state.ts'
import { clock, facts, memory, memoryLimit, oneLine, percent, shortId, shortImage, span, vcpus } from './words.ts'

/** More of a name than this is seen in the tooltip. */
const NAME_LENGTH = 100

/** What people call an object. */
export function objectName({ name, id }: ObjectModel): string {
  return name === undefined ? shortId(id) : oneLine(name, NAME_LENGTH)
}

/** @param processes those of this object, in the order of their starts */
export function objectRow(
  making: Making,
  object: ObjectModel,
  one: ClassModel,
  processes: readonly ProcessModel[],
): Row {
  const { icon, description, can, untilMs } = stateOf(object, one, making.now())
  const label = objectName(object)
  const isRunning = object.container.state === 'running'
  const hasMore = isRunning || object.alarm !== undefined || processes.some(({ end }) => end !== undefined)
  return new Row({
    target: making.same({ kind: 'object', folder: making.folder, object: object.key }),
    label,
    description,
    icon,
    sentence: l10n.t('Object {0}: {1}', label, spoken(description)),
    can,
    fold: hasMore ? 'closed' : 'none',
    untilMs,
    children: () => [
      ...imageRow(making, object, one),
      ...usageRow(making, object, one),
      ...(isRunning ? (object.ports ?? []) : []).map((port) => portRow(making, object, port)),
      ...processGroups(making, object, isRunning ? processes : processes.filter(({ end }) => end !== undefined)),
      ...alarmRow(making, object),
    ],
  })
}

function imageRow(making: Making, { key, container }: ObjectModel, one: ClassModel): readonly Row[] {
  if (container.state !== 'running') return []
  const label = shortImage(container.image)
  const description = facts(one.instanceType, l10n.t('since {0}', clock(container.since)))
  return [
    new Row({
      target: making.same({ kind: 'image', folder: making.folder, object: key }),
      label,
      description,
      icon: { name: 'package' },
      sentence: l10n.t('Image {0}: {1}', label, spoken(description)),
    }),
  ]
}

function usageRow(making: Making, { key, container, usage }: ObjectModel, { limits }: ClassModel): readonly Row[] {
  if (container.state !== 'running' || usage === undefined) return []
  const label = l10n.t('{0} CPU, {1}', percent(usage.cpu), memory(usage.memoryBytes))
  const description =
    limits === undefined ? '' : l10n.t('of {0}, {1}', vcpus(limits.cpus), memoryLimit(limits.memoryBytes))
  return [
    new Row({
      target: making.same({ kind: 'usage', folder: making.folder, object: key }),
      label,
      description,
      icon: { name: 'pulse' },
      sentence: l10n.t('Usage: {0}', [label, description].filter((part) => part !== '').join(' ')),
    }),
  ]
}

function portRow(making: Making, { key }: ObjectModel, { port, protocol }: PortModel): Row {
  const description = protocol === 'inspector' ? l10n.t('node inspector') : protocol
  return new Row({
    target: making.same({ kind: 'port', folder: making.folder, object: key, port }),
    label: `${port}`,
    description,
    icon: { name: 'plug' },
    sentence: l10n.t('Port {0}: {1}', port, description),
  })
}

function alarmRow(making: Making, { key, alarm }: ObjectModel): readonly Row[] {
  if (alarm === undefined) return []
  const nowMs = making.now()
  const leftMs = alarm.at - nowMs
  const when = leftMs < 1000 ? l10n.t('now') : l10n.t('in {0}', span(leftMs))
  const description = facts(when, alarm.why === 'alarm' ? undefined : alarm.why)
  return [
    new Row({
      target: making.same({ kind: 'alarm', folder: making.folder, object: key }),
      label: l10n.t('Alarm'),
      description,
      icon: { name: 'clockface' },
      sentence: l10n.t('Alarm: {0}', spoken(description)),
      untilMs: leftMs < 1000 ? Number.POSITIVE_INFINITY : alarm.at - Math.floor(leftMs / 1000) * 1000 + 1,
    }),
  ]
}
