/** How times, sizes, ids and counts are written. */
import * as l10n from '@vscode/l10n'
import type { ClassModel, ContainerState, ObjectModel } from '../../runtime/protocol/model.ts'

const SECOND_MS = 1000
const MINUTE_MS = 60 * SECOND_MS

/** A time that has passed, in one unit: `12m`, `3h`, `2d`. Undefined below a minute: ages change at the minute only. */
export function age(sinceMs: number, nowMs: number): string | undefined {
  const minutes = Math.floor((nowMs - sinceMs) / MINUTE_MS)
  if (minutes < 1) return undefined
  if (minutes < 60) return `${minutes}m`
  if (minutes < 60 * 24) return `${Math.floor(minutes / 60)}h`
  return `${Math.floor(minutes / 60 / 24)}d`
}

/** As `age`, with seconds below a minute: for what seldom gets old. */
export function shortAge(sinceMs: number, nowMs: number): string {
  return age(sinceMs, nowMs) ?? `${Math.max(0, Math.floor((nowMs - sinceMs) / SECOND_MS))}s`
}

/** How long ago something was: `5m ago`, and `just now` below a minute. */
export function ago(atMs: number, nowMs: number): string {
  const past = age(atMs, nowMs)
  return past === undefined ? l10n.t('just now') : l10n.t('{0} ago', past)
}

/** When `age` and `ago` say something else. */
export function nextMinute(sinceMs: number, nowMs: number): number {
  return next(sinceMs, nowMs, MINUTE_MS)
}

/** When `shortAge` says something else. */
export function nextSecond(sinceMs: number, nowMs: number): number {
  return next(sinceMs, nowMs, nowMs - sinceMs < MINUTE_MS ? SECOND_MS : MINUTE_MS)
}

function next(sinceMs: number, nowMs: number, stepMs: number): number {
  return sinceMs + (Math.floor((nowMs - sinceMs) / stepMs) + 1) * stepMs
}

/** A time that is left or has passed, in two units: `9m 12s`, `2h 5m`, `3d 4h`; below zero as `0s`. */
export function span(ms: number): string {
  const [first, ...rest] = parts(ms, 'd', 'h', 'm', 's')
  const second = rest.length > 0 && !rest[0]?.startsWith('0') ? rest[0] : undefined
  return second === undefined ? `${first}` : `${first} ${second}`
}

/** As `span`, for sentences: `9 min 12 s`. */
export function longSpan(ms: number): string {
  const [first, second] = parts(ms, ' d', ' h', ' min', ' s')
  return second === undefined || second.startsWith('0') ? `${first}` : `${first} ${second}`
}

/** Days, hours, minutes, seconds, from the first one that is not 0 on; at least the seconds. */
function parts(ms: number, ...units: readonly [string, string, string, string]): string[] {
  const seconds = Math.max(0, Math.floor(ms / SECOND_MS))
  const all = [
    Math.floor(seconds / 86_400),
    Math.floor(seconds / 3600) % 24,
    Math.floor(seconds / 60) % 60,
    seconds % 60,
  ]
  const first = all.findIndex((amount) => amount > 0)
  return all.map((amount, at) => `${amount}${units[at]}`).slice(first === -1 ? 3 : first)
}

/** The time of day, `14:02:11`, in the zone of this machine. */
export function clock(atMs: number): string {
  const at = new Date(atMs)
  return [at.getHours(), at.getMinutes(), at.getSeconds()].map((part) => `${part}`.padStart(2, '0')).join(':')
}

/** When something was that need not be told to the second: `14:01`, or `2d ago` where that was more than a day ago. */
export function hour(atMs: number, nowMs: number): string {
  return nowMs - atMs < 24 * 60 * MINUTE_MS ? clock(atMs).slice(0, 5) : ago(atMs, nowMs)
}

/** An id that fits into a row: `4f1c09e2…77ab`. Short ones stay whole. */
export function shortId(id: string): string {
  return id.length <= 16 ? id : `${id.slice(0, 8)}…${id.slice(-4)}`
}

/** Facts of a row, the most needed first; what is undefined is left out. */
export function facts(...parts: readonly (string | undefined)[]): string {
  return parts.filter((part) => part !== undefined && part !== '').join(' · ')
}

/** How the objects of a class do: `2 of 6 running · 1 failed`; empty where there is none. */
export function classWords(_one: ClassModel, objects: readonly ObjectModel[]): string {
  if (objects.length === 0) return ''
  const of = (state: ContainerState['state']) => objects.filter((object) => object.container.state === state).length
  const [failed, starting] = [of('failed'), of('starting')]
  return facts(
    l10n.t('{0} of {1} running', count(of('running')), count(objects.length)),
    failed > 0 ? l10n.t('{0} failed', count(failed)) : undefined,
    starting > 0 ? l10n.t('{0} starting', count(starting)) : undefined,
  )
}

/** `44 B`, `18.4 kB`, `1 GB`: base 1000, three digits. */
export function sizeWords(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let [value, unit] = [bytes, 0]
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000
    unit += 1
  }
  const digits = unit === 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2
  return `${Number(value.toFixed(digits))} ${units[unit]}`
}

/** Memory in use: whole MB, since more digits would never stand still. */
export function memory(bytes: number): string {
  return bytes < 999_500_000 ? `${Math.round(bytes / 1_000_000)} MB` : sizeWords(bytes)
}

const MIB = 2 ** 20

/** A limit of memory. Those are given in MiB, and called by their round number: `256 MB`, `1 GB`. */
export function memoryLimit(bytes: number): string {
  const mib = bytes / MIB
  if (!Number.isInteger(mib)) return sizeWords(bytes)
  return mib < 1024 ? `${mib} MB` : `${Number((mib / 1024).toPrecision(3))} GB`
}

/** By the thousandths that engines take; 0.0625 is rounded up. */
const FRACTIONS: Readonly<Record<number, string>> = { 63: '1/16', 125: '⅛', 250: '¼', 500: '½', 750: '¾' }

/** A limit of CPU: `¼ vCPU`. */
export function vcpus(cpus: number): string {
  return `${FRACTIONS[Math.round(cpus * 1000)] ?? Number(cpus.toPrecision(3))} vCPU`
}

/** A part of one core: `3 %`. */
export function percent(part: number): string {
  return `${Math.round(part * 100)} %`
}

const NUMBERS = new Intl.NumberFormat('en-US')

/** A number of things: `1,204`. */
export function count(things: number): string {
  return things < 1000 ? `${things}` : NUMBERS.format(things)
}

/** More of a command than this is seen in its tooltip. */
const COMMAND_LENGTH = 120

/** A command in one line, as one would type it. */
export function commandLine(command: readonly string[]): string {
  const line = command.map((word) => (/^[^\s'"]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(' ')
  return oneLine(line, COMMAND_LENGTH)
}

/** Text that others wrote, in one line: without control characters, and cut at a length. */
export function oneLine(text: string, length: number): string {
  const line = text.replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim()
  return line.length <= length ? line : `${line.slice(0, length - 1)}…`
}

/** As people write images: without registry and owner, digests and long tags to six digits: `sandbox:9c41e2`. */
export function shortImage(image: string): string {
  return image
    .replace(/^sha256:/, '')
    .replace(/^.*\/(?=[^/]+$)/, '')
    .replace(/([0-9a-f]{6})[0-9a-f]{6,}$/, '$1')
}
