/** What workerd logs, the Worker's console with it. */
import type { FromChild } from '../protocol/child.ts'

/** As miniflare hands it over. */
export interface WorkerdLog {
  readonly level: string
  readonly message: string
}

/**
 * What nobody needs to read: notes of workerd's makers to themselves, e.g. at each reload of an object with an alarm; and why
 * a Worker does not load, of which wrangler's error says the same.
 */
const ASIDE = /^(NOSENTRY|service core:user:|A DurableObjectNamespace in the config referenced the class)/

/** The message that tells of it. */
export function logOf({ level, message }: WorkerdLog): Extract<FromChild, { type: 'log' }> {
  if (ASIDE.test(message)) return { type: 'log', level: 'debug', from: 'wrangler', text: message }
  const known = (['debug', 'info', 'log', 'warn', 'error'] as const).find((name) => name === level)
  return { type: 'log', level: known ?? 'log', from: 'worker', text: message }
}
