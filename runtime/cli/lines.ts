/** A session's events as lines for a terminal. Pure: no colour codes unless asked. */
import { stripVTControlCharacters } from 'node:util'
import type { SessionEvent } from '../protocol/events.ts'
import type { ObjectKey, SessionModel } from '../protocol/model.ts'

/** Where a line goes: the Worker's console and all that is as it should be to stdout, problems to stderr. */
export interface Line {
  readonly to: 'stdout' | 'stderr'
  readonly text: string
}

export interface Style {
  readonly color: boolean
  readonly level: 'debug' | 'info' | 'warn' | 'error'
}

const LEVELS = { debug: 0, info: 1, log: 1, warn: 2, error: 3 } as const

/** The name of an object for people: class and name, or class and a short id. */
export function objectLabel(model: SessionModel, key: ObjectKey): string {
  const object = model.objects.find((o) => o.key === key)
  const [className = '', id = ''] = key.split('/')
  return `${object?.className ?? className}/${object?.name ?? `${id.slice(0, 8)}…${id.slice(-4)}`}`
}

/** A time as LOOK.md writes it: `0.2 ms`, `41 ms`, `2.61 s`, `12m 8s`. */
export function duration(ms: number): string {
  // The bounds are where rounding would show the next larger form.
  if (ms < 9.95) return `${ms.toFixed(1)} ms`
  if (ms < 999.5) return `${Math.round(ms)} ms`
  if (ms < 9_995) return `${(ms / 1_000).toFixed(2)} s`
  if (ms < 59_950) return `${(ms / 1_000).toFixed(1)} s`
  const seconds = Math.round(ms / 1_000)
  return `${Math.floor(seconds / 60)}m ${seconds % 60}s`
}

/** The lines that an event is worth at a level; none for most. `model` is the one after the event. */
export function linesOf(event: SessionEvent, model: SessionModel, style: Style): Line[] {
  const paint = (code: number, text: string): string => (style.color ? `\u001b[${code}m${text}\u001b[0m` : text)
  const muted = (text: string): string => paint(90, text)
  const out = (text: string): Line[] => (LEVELS[style.level] <= LEVELS.info ? [{ to: 'stdout', text }] : [])
  const problem = (text: string, more: readonly string[] = []): Line[] =>
    [paint(31, text), ...more.map((line) => `  ${line}`)].map((line) => ({ to: 'stderr', text: line }))

  switch (event.type) {
    case 'worker-log':
      return LEVELS[event.level] < LEVELS[style.level] ? [] : [{ to: 'stdout', text: safe(event.text) }]
    case 'container-log':
      return [{ to: event.stream, text: `${paint(36, `[${objectLabel(model, event.object)}]`)} ${safe(event.text)}` }]
    case 'image':
      return imageLines(event, out, problem)
    case 'image-output':
      return style.level === 'debug' ? [{ to: 'stdout', text: muted(safe(event.text)) }] : []
    case 'container':
      return containerLines(event, model, out, problem, muted)
    case 'worker':
      if (event.worker.state === 'reloading') return out(muted('The Worker is being reloaded.'))
      if (event.worker.state === 'failed') {
        return problem(safe(event.worker.message), [
          event.worker.serving ? 'The last good version goes on serving.' : 'Waiting for the fix.',
        ])
      }
      return []
    case 'engine':
      return event.engine.state === 'lost' ? problem(event.engine.message) : []
    case 'advice':
      return problem(event.object === undefined ? event.text : `${objectLabel(model, event.object)}: ${event.text}`)
    case 'hook':
      return style.level === 'debug' && event.edge === 'end'
        ? [
            {
              to: 'stdout',
              text: muted(
                `${objectLabel(model, event.object)} ${event.hook} ${event.tookMs === undefined ? '' : duration(event.tookMs)}`,
              ),
            },
          ]
        : []
    default:
      return []
  }
}

type Out = (text: string) => Line[]
type Problem = (text: string, more?: readonly string[]) => Line[]

function imageLines(event: SessionEvent & { type: 'image' }, out: Out, problem: Problem): Line[] {
  const { image, className } = event
  if (image.state === 'preparing') {
    const step = image.step === undefined ? '' : ` ${image.step}/${image.steps ?? '?'}`
    return out(
      `${className}: ${image.how === 'build' ? 'building the image' : 'pulling the image'}${step}: ${safe(image.text)}`,
    )
  }
  if (image.state === 'ready') return out(`${className}: image ${image.image} ready (${duration(image.tookMs)})`)
  if (image.state === 'failed') {
    const old = image.previous === undefined ? [] : [`${image.previous} stays in use.`]
    return problem(`${className}: ${safe(image.message)}`, [...image.lastOutput.map(safe), ...image.advice, ...old])
  }
  return []
}

function containerLines(
  event: SessionEvent & { type: 'container' },
  model: SessionModel,
  out: Out,
  problem: Problem,
  muted: (text: string) => string,
): Line[] {
  const { container } = event
  const label = objectLabel(model, event.object)
  if (container.state === 'running') return out(muted(`${label} runs (${duration(container.startedMs)})`))
  if (container.state === 'stopped') return out(muted(`${label}: ${container.end.message}`))
  if (container.state === 'failed') {
    const log = container.end.lastLog.slice(-5).map((line) => `| ${safe(line)}`)
    return problem(`${label}: ${safe(container.end.message)}`, [...log, ...container.end.advice])
  }
  return []
}

/** What a container or a build wrote may not steer the terminal: control characters go, C1 ones too; tabs and line ends stay. */
function safe(text: string): string {
  const plain = stripVTControlCharacters(text)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not pass.
  return plain.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '')
}
