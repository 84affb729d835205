/** What a row, a link or a button stands for: plain values, so that they go through commands as arguments. */
import type { ObjectKey, ObjectModel, ProcessId } from '../../runtime/index.ts'

/** A folder is named by its uri. */
interface InFolder {
  readonly folder: string
}

/** `root` is the process that an object's container was started for. */
export type Target =
  | (InFolder & { readonly kind: 'project'; readonly project: string })
  | (InFolder & { readonly kind: 'class' | 'image-failure'; readonly className: string })
  | (InFolder & {
      readonly kind: 'object' | 'image' | 'usage' | 'processes' | 'root' | 'finished' | 'alarm'
      readonly object: ObjectKey
    })
  | (InFolder & { readonly kind: 'port'; readonly object: ObjectKey; readonly port: number })
  | (InFolder & { readonly kind: 'process'; readonly object: ObjectKey; readonly process: ProcessId })

/** What can be done with it now; menus ask for these words. */
export type Can = 'start' | 'stop' | 'destroy' | 'shell' | 'logs' | 'why' | 'alarm' | 'end'

/** How a row says so to the menus: ` object can:start can:why `. */
export function viewItem(kind: Target['kind'], can: readonly Can[]): string {
  return ` ${[kind, ...can.map((word) => `can:${word}`)].join(' ')} `
}

/** What can be done with an object now, in the order in which a person would look for it. */
export function canOf({ container, alarm, memory }: ObjectModel): readonly Can[] {
  const can: Can[] = []
  const { state } = container
  if (state === 'running') can.push('shell', 'stop', 'destroy')
  if (state === 'starting' || state === 'stopping') can.push('destroy')
  if (state === 'none' || state === 'stopped' || state === 'failed') can.push('start')
  if (state === 'stopped' || state === 'failed') can.push('why')
  if (state !== 'none') can.push('logs')
  if (alarm !== undefined && memory === 'in-memory') can.push('alarm')
  return can
}

/** The same for the same thing, however often it is asked for, and for nothing else. */
export function targetId(target: Target): string {
  const { kind, folder } = target
  switch (kind) {
    case 'project':
      return JSON.stringify([kind, folder, target.project])
    case 'class':
    case 'image-failure':
      return JSON.stringify([kind, folder, target.className])
    case 'port':
      return JSON.stringify([kind, folder, target.object, target.port])
    case 'process':
      return JSON.stringify([kind, folder, target.object, target.process])
    default:
      return JSON.stringify([kind, folder, target.object])
  }
}
