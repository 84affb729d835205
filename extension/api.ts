/** What `activate` returns: for other extensions, and for tests. Stable: what is here is only ever added to. */
import type * as vscode from 'vscode'
import type { Session, SessionEvent } from '../runtime/index.ts'
import type { Node } from './explorer/nodes.ts'

export interface MoorageApi {
  /** 1; rises when something here changes its meaning. */
  readonly version: 1
  /** The sessions that run in this window, one a folder, with their objects, events and actions. */
  readonly sessions: readonly { readonly folder: vscode.Uri; readonly session: Session }[]
  /** Something in a session, or in which of them there are, is other than before; at most ten times a second. */
  readonly onDidChange: vscode.Event<undefined>
  /** Every event of every session. */
  readonly onEvent: vscode.Event<{ readonly folder: vscode.Uri; readonly event: SessionEvent }>
  /** Starts the session of a folder, or of the only one. */
  start(folder?: vscode.Uri): Promise<Session>
  /** Ends the session of a folder, or of the only one. */
  stop(folder?: vscode.Uri): Promise<void>
  /** The rows of the Objects view, as they would show with everything open. */
  readonly nodes: readonly Node[]
  /** Tells when they have become others. */
  readonly onDidChangeNodes: vscode.Event<undefined>
}
