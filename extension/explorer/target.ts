/** What a row, a link or a button stands for: plain values, so that they go through commands as arguments. */
import type { ObjectKey, ProcessId } from '../../runtime/index.ts'

/** A folder is named by its uri. */
interface InFolder {
  readonly folder: string
}

export type Target =
  | (InFolder & { readonly kind: 'project'; readonly project: string })
  | (InFolder & { readonly kind: 'class' | 'image-failure'; readonly className: string })
  | (InFolder & {
      readonly kind: 'object' | 'image' | 'usage' | 'processes' | 'finished' | 'alarm'
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
