/** Lines of logs, and how they are written. No VS Code here. */

import { stripVTControlCharacters } from 'node:util'

/** A line of a container or of the Worker, or a mark between lives. */
export interface ShownLine {
  readonly at: number
  /** Who wrote it: an object's name, `Worker`. */
  readonly from: string
  readonly text: string
  readonly kind: 'stdout' | 'stderr' | 'mark'
}

/** So many lines are kept for a view; the oldest go. */
export const KEPT_LINES = 20_000

/** Colours of prefixes, as in a terminal's palette: those that can be read on dark and on light. */
const COLORS = [36, 35, 34, 32, 33, 96, 95, 94]

/** A prefix has the same colour in every view. */
function colorOf(from: string): number {
  let sum = 0
  for (const char of from) sum = (sum * 31 + (char.codePointAt(0) ?? 0)) % 1_000_003
  return COLORS[sum % COLORS.length] ?? 36
}

/**
 * A line for a terminal.
 * @param options.prefix whether to say who wrote it
 * @param options.timestamps whether to say when
 */
export function written(line: ShownLine, options: { readonly prefix: boolean; readonly timestamps: boolean }): string {
  const when = options.timestamps ? `\x1b[2m${timeOf(line.at)}\x1b[0m ` : ''
  if (line.kind === 'mark') return `${when}\x1b[2m── ${line.from} ${line.text} ──\x1b[0m\r\n`
  const who = options.prefix ? `\x1b[${colorOf(line.from)}m${line.from} │\x1b[0m ` : ''
  const red = line.kind === 'stderr' ? '\x1b[31m▏\x1b[0m' : ''
  return `${when}${who}${red}${harmless(line.text)}\x1b[0m\r\n`
}

/** A line for a file. */
export function plain(line: ShownLine): string {
  const text = line.kind === 'mark' ? `── ${line.text} ──` : withoutControls(stripVTControlCharacters(line.text))
  return `${new Date(line.at).toISOString()} ${line.from}: ${text}\n`
}

/** `14:02:11.045`, in the zone of this machine. */
function timeOf(at: number): string {
  const date = new Date(at)
  const ms = String(date.getMilliseconds()).padStart(3, '0')
  return `${date.toLocaleTimeString('en-GB', { hourCycle: 'h23' })}.${ms}`
}

const ESCAPE = '\u001b'
/** What sets colours, and only that. */
const COLOR = new RegExp(`(${ESCAPE}\\[[0-9;:]*m)`)

/** Colours stay; whatever else a line could do to a terminal goes. */
export function harmless(text: string): string {
  if (!hasControls(text)) return text
  return text
    .split(COLOR)
    .map((part, index) => (index % 2 === 1 ? part : withoutControls(stripVTControlCharacters(part))))
    .join('')
}

function hasControls(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (isControl(text.charCodeAt(at))) return true
  return false
}

function withoutControls(text: string): string {
  return [...text].filter((char) => !isControl(char.charCodeAt(0))).join('')
}

/** C0 but for tab, DEL and C1. */
function isControl(code: number): boolean {
  return (code < 0x20 && code !== 0x09) || (code >= 0x7f && code <= 0x9f)
}

/**
 * What was heard while the history was read, without what the history has already.
 * @param history what was read, oldest first
 * @param heard what came since shortly before, oldest first
 */
export function withoutKnown<T extends { readonly text: string }>(
  history: readonly T[],
  heard: readonly T[],
): readonly T[] {
  for (let both = Math.min(history.length, heard.length); both > 0; both--) {
    const tail = history.slice(-both)
    if (tail.every(({ text }, index) => text === heard[index]?.text)) return heard.slice(both)
  }
  return heard
}
