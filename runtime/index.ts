/**
 * Moorage's front door: what the command line and the VS Code extension use, and all that they use.
 *
 *     const session = await startSession({ config: 'wrangler.jsonc' })
 *     session.onEvent((event) => …)      // everything that happens, in one order
 *     session.model                      // everything that is, after the last event
 *     await session.dispose()            // leaves nothing behind
 */

export { engineAnswers } from './engine/discover.ts'
export type {
  ExecOptions,
  Forward,
  KeptOutput,
  ObjectActions,
  OpenProcess,
  ProcessActions,
  Session,
  SessionOptions,
} from './front.ts'
export { type JoinOptions, joinProcess, joinSession } from './join.ts'
export { type ErrorCode, MoorageError } from './protocol/errors.ts'
export type { Happening, SessionEvent } from './protocol/events.ts'
export * from './protocol/model.ts'
export { startSession } from './session.ts'
export type { JoinEvents, Joined } from './share/process.ts'
