/** What pages and the extension tell each other. Values only; imports nothing of VS Code. */

/** Why a container ended or did not start, as the card shows it. */
export interface Card {
  /** `eve · Sandbox` */
  readonly title: string
  /** One sentence: what happened. */
  readonly headline: string
  readonly failed: boolean
  readonly facts: readonly { readonly name: string; readonly value: string }[]
  readonly advice: readonly string[]
  /** The last lines of the log; empty where there is none. */
  readonly log: readonly string[]
  /** What can be done next; the first is the one that most probably helps. */
  readonly actions: readonly CardAction[]
  readonly words: { readonly log: string; readonly noLog: string; readonly next: string }
}

export interface CardAction {
  readonly label: string
  /** Its place in the list; the page names no commands. */
  readonly index: number
}

export type ToCard = { readonly type: 'show'; readonly card: Card }
export type FromCard = { readonly type: 'ready' } | { readonly type: 'do'; readonly index: number }
