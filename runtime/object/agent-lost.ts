/** Whether a container lives without Moorage's agent, which says nothing any more. */
import type { Engine } from '../engine/engine.ts'
import type { ContainerId } from '../protocol/model.ts'

const AGENT = '/.moorage/agent'
/** How ps writes the name of a process that is ending or has ended: its command is gone. */
const ENDING = /^\[.*\]/u

/**
 * What is known: its link was lost just now, which is also how the end of a container shows first; it did not come back for
 * long; or it is there and does not answer.
 */
export type Lost = 'just-now' | 'for-long' | 'silent'

/** Asks the engine, where what is known does not say it all. Never rejects. */
export async function livesWithoutAgent(engine: Engine, container: ContainerId, lost: Lost): Promise<boolean> {
  if (lost === 'for-long') return true
  // In a container that someone paused nothing answers.
  if (lost === 'silent') return (await engine.inspect(container).catch(() => undefined))?.paused === false
  const commands = await engine.top(container).catch((): readonly string[] => [])
  const living = commands.filter((command) => !ENDING.test(command))
  return living.length > 0 && !living.includes(AGENT)
}
