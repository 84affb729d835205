/** How times, ids and counts are written. */
import * as l10n from '@vscode/l10n'
import type { ClassModel, ContainerState, ObjectModel } from '../../runtime/protocol/model.ts'

/** A time that has passed, in one unit: `12m`, `3h`, `2d`. Undefined below a minute: ages change at the minute only. */
export function age(sinceMs: number, nowMs: number): string | undefined {
  const minutes = Math.floor((nowMs - sinceMs) / 60_000)
  if (minutes < 1) return undefined
  if (minutes < 60) return `${minutes}m`
  if (minutes < 60 * 24) return `${Math.floor(minutes / 60)}h`
  return `${Math.floor(minutes / 60 / 24)}d`
}

/** How long ago something was: `5m ago`, and `just now` below a minute. */
export function ago(atMs: number, nowMs: number): string {
  const past = age(atMs, nowMs)
  return past === undefined ? 'just now' : `${past} ago`
}

/** The time of day, `14:02:11`, in the zone of this machine. */
export function clock(atMs: number): string {
  return new Date(atMs).toLocaleTimeString('en-GB', { hourCycle: 'h23' })
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
    l10n.t('{0} of {1} running', of('running'), objects.length),
    failed > 0 ? l10n.t('{0} failed', failed) : undefined,
    starting > 0 ? l10n.t('{0} starting', starting) : undefined,
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
