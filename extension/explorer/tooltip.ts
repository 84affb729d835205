/** What a row says when the mouse rests on it, as Markdown. What comes from the project or its containers is escaped. */
import * as l10n from '@vscode/l10n'
import type { ClassModel, ImageState, ObjectModel, ProcessModel, SessionModel } from '../../runtime/protocol/model.ts'
import { stateIcon, stateOf, waitsFor } from './state.ts'
import type { Can, Target } from './target.ts'
import { clock, longSpan, memory, memoryLimit, percent, shortId, shortImage, sizeWords, vcpus } from './words.ts'

/** Of the log of a container that failed, so many last lines are shown. */
const LOG_LINES = 5

/** The end of a longer line is left to the log. */
const LINE_LENGTH = 200

/** All that links in a tooltip can call. */
export const TOOLTIP_COMMANDS = ['moorage.openShell', 'moorage.showLogs', 'moorage.copyId'] as const

/** `undefined` where the row says all there is. */
export function tooltipOf(target: Target, model: SessionModel, nowMs: number): string | undefined {
  switch (target.kind) {
    case 'object': {
      const object = model.objects.find(({ key }) => key === target.object)
      const one = model.classes.find(({ className }) => className === object?.className)
      return object && one && objectTooltip(target, object, one, nowMs)
    }
    case 'process': {
      const process = model.processes.find(({ id }) => id === target.process)
      return process && processTooltip(process)
    }
    case 'image-failure': {
      const one = model.classes.find(({ className }) => className === target.className)
      return one?.image.state === 'failed' ? failureTooltip(one.image) : undefined
    }
    default:
      return undefined
  }
}

function objectTooltip(target: Target, object: ObjectModel, one: ClassModel, nowMs: number): string {
  const { container } = object
  const hasFailed = container.state === 'failed'
  const blocks = [
    `**${text(object.name ?? shortId(object.id))}** · ${text(object.className)}`,
    `$(${stateIcon(object).name}) ${sentence(object, nowMs)}`,
    ...(hasFailed ? [...container.end.advice.map(text), ...lines(container.end.lastLog)] : []),
    '---',
    table(facts(object, one, nowMs)),
    '---',
    links(target, stateOf(object, one, nowMs).can),
  ]
  return blocks.join('\n\n')
}

function sentence({ container, memory, wokeAt }: ObjectModel, nowMs: number): string {
  switch (container.state) {
    case 'running':
      return l10n.t('Running for {0}, since {1}', longSpan(nowMs - container.since), clock(container.since))
    case 'starting':
      return l10n.t('Starting since {0}: {1}', clock(container.since), waitsFor(container.phase))
    case 'stopping':
      return l10n.t('Stopping since {0}: {1}', clock(container.since), text(container.how))
    case 'stopped':
    case 'failed':
      return text(container.end.message)
    case 'none':
      if (memory !== 'asleep') return l10n.t('In memory; its container was not started yet')
      return wokeAt === undefined
        ? l10n.t('Asleep: only its storage is there')
        : l10n.t('Asleep: only its storage is there. It was in memory at {0}', clock(wokeAt))
  }
}

/** Names and values. */
function facts(object: ObjectModel, one: ClassModel, nowMs: number): [string, string][] {
  const { container, usage, ports = [], alarm, id } = object
  const rows: [string, string][] = []
  if (container.state === 'running') {
    rows.push([l10n.t('Image'), imageWords(container.image, one)])
    if (usage !== undefined) {
      const { limits } = one
      const of = (used: string, limit: string | undefined) =>
        limit === undefined ? used : l10n.t('{0} of {1}', used, limit)
      rows.push([l10n.t('CPU'), of(percent(usage.cpu), limits && vcpus(limits.cpus))])
      rows.push([l10n.t('Memory'), of(memory(usage.memoryBytes), limits && memoryLimit(limits.memoryBytes))])
    }
    const words = ports.map(({ port, protocol }) => `${port} (${protocol})`)
    if (words.length > 0) rows.push([l10n.t('Ports'), words.join(', ')])
  }
  if (alarm !== undefined) {
    const when = l10n.t('in {0}', longSpan(alarm.at - nowMs))
    if (alarm.why === 'sleepAfter') rows.push([l10n.t('Sleeps'), l10n.t('{0}, at {1}', when, code('sleepAfter'))])
    else rows.push([l10n.t('Alarm'), alarm.why === 'schedule' ? l10n.t('{0}, for {1}', when, code('schedule')) : when])
  }
  // The whole of it would be wider than a tooltip gets; the link below copies that.
  rows.push([l10n.t('Id'), code(shortId(id))])
  return rows
}

function imageWords(image: string, { image: current, instanceType }: ClassModel): string {
  const known = current.state === 'ready' && current.image === image ? `, ${sizeWords(current.sizeBytes)}` : ''
  const previous = current.state === 'failed' ? `, ${l10n.t('the previous one')}` : ''
  return `${code(shortImage(image))}${known}${previous}, ${text(instanceType)}`
}

function links(target: Target, can: readonly Can[]): string {
  const all: string[] = []
  if (can.includes('shell')) all.push(link('terminal', l10n.t('Shell'), 'moorage.openShell', target))
  if (can.includes('logs')) all.push(link('output', l10n.t('Logs'), 'moorage.showLogs', target))
  all.push(link('copy', l10n.t('Copy id'), 'moorage.copyId', target))
  return all.join(' &nbsp; ')
}

function link(icon: string, label: string, command: (typeof TOOLTIP_COMMANDS)[number], target: Target): string {
  // Brackets stay as they are in encodeURIComponent, and would end the link.
  const args = encodeURIComponent(JSON.stringify([target])).replace(/[()]/g, (c) => (c === '(' ? '%28' : '%29'))
  return `[$(${icon}) ${label}](command:${command}?${args})`
}

function processTooltip({ command, cwd, user, source, by }: ProcessModel): string {
  const rows: [string, string][] = [
    [l10n.t('Folder'), code(cwd)],
    [l10n.t('User'), code(user)],
    [l10n.t('Started by'), by === 'person' ? l10n.t('you') : source === undefined ? l10n.t('Worker') : code(source)],
  ]
  return [...fence(command.map((word) => (word === '' ? "''" : word)).join(' '), 'sh'), table(rows)].join('\n\n')
}

function failureTooltip({ message, lastOutput }: ImageState & { state: 'failed' }): string {
  return [text(message), ...lines(lastOutput)].join('\n\n')
}

/** A head without words is needed: Markdown has no table without one. */
function table(rows: readonly (readonly [string, string])[]): string {
  return ['| | |', '|:--|:--|', ...rows.map(([name, value]) => `| ${name} | ${value} |`)].join('\n')
}

function lines(log: readonly string[]): string[] {
  return fence(log.slice(-LOG_LINES).map(cut).join('\n'), 'text')
}

/** Nothing that could end it is left within. */
function fence(content: string, language: string): string[] {
  const inside = plain(content).replaceAll('```', "'''")
  return inside.trim() === '' ? [] : [`\`\`\`${language}\n${inside}\n\`\`\``]
}

function cut(line: string): string {
  const visible = plain(line)
  return visible.length <= LINE_LENGTH ? visible : `${visible.slice(0, LINE_LENGTH - 1)}…`
}

/** Without colours and control characters, except the ends of lines. */
function plain(content: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  return content.replace(/\u001b\[[0-?]*[ -/]*[@-~]/g, '').replace(/(?!\n)[\p{Cc}\p{Cf}]/gu, '')
}

/** What VS Code makes an icon of, outside of blocks: `$(name)`. */
const ICON = /\\?\$\([A-Za-z0-9-]+(?:~[A-Za-z]+)?\)/g

/** Text that Markdown leaves as it is, in one line. */
function text(content: string): string {
  const line = plain(content.replace(/\s+/g, ' ')).replace(ICON, (icon) => `\\${icon}`)
  return line.replace(/[\\`*_{}[\]()#+\-.!|<>&~:]/g, '\\$&')
}

/** Code within a line, also of a table. */
function code(content: string): string {
  // A backslash before an icon would be seen here; a word joiner within it is not.
  const inside = plain(content.replace(/\s+/g, ' '))
    .replaceAll('$(', '$\u2060(')
    .replaceAll('`', "'")
    .replaceAll('|', '\\|')
  return `\`${inside}\``
}
