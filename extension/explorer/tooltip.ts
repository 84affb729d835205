/** What an object's row says when the mouse rests on it. */
import type { ClassModel, ObjectModel } from '../../runtime/protocol/model.ts'
import { clock } from './words.ts'

/** Of the log of a container that failed, so many last lines are shown. */
const LOG_LINES = 5

/** Markdown. What comes from the project or its container is escaped. */
export function tooltipOf(object: ObjectModel, one: ClassModel | undefined): string {
  const { container } = object
  const blocks = [`**${escaped(object.name ?? object.id)}** · ${escaped(object.className)}`, sentence(object)]
  const rows = [['id', `\`${object.id}\``]]
  if (container.state === 'running') rows.unshift(['image', `\`${container.image}\``])
  if (one !== undefined) rows.push(['instance type', escaped(one.instanceType)])
  blocks.push(['| | |', '|---|---|', ...rows.map(([name, value]) => `| ${name} | ${value} |`)].join('\n'))
  if (container.state === 'failed') {
    blocks.push(...container.end.advice.map(escaped))
    const log = container.end.lastLog.slice(-LOG_LINES)
    if (log.length > 0) blocks.push(['````text', ...log.map((line) => line.replaceAll('````', '')), '````'].join('\n'))
  }
  return blocks.join('\n\n')
}

function sentence({ container, memory }: ObjectModel): string {
  switch (container.state) {
    case 'running':
      return `Running since ${clock(container.since)}; the start took ${Math.round(container.startedMs)} ms.`
    case 'starting':
      return `Starting since ${clock(container.since)}.`
    case 'stopping':
      return `Stopping since ${clock(container.since)}.`
    case 'stopped':
    case 'failed':
      return escaped(container.end.message)
    case 'none':
      return memory === 'asleep'
        ? 'Asleep: only its storage is there.'
        : 'In memory; its container was not started yet.'
  }
}

function escaped(text: string): string {
  return text.replace(/[\\`*_{}[\]()#+\-.!|<>&]/g, '\\$&').replaceAll('\n', ' ')
}
