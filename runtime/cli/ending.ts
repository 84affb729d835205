import { within } from '../base/latch.ts'

/** An end that takes longer than this is told of. */
export const LONG_END_MS = 1_000
/** And again after each of these. */
export const AGAIN_MS = 5_000
/** How long the line waits for the engine to say what is left: one that is slow to remove is slow to answer. */
const ANSWER_MS = 1_000

/**
 * Says that a session is ending, where that takes long.
 * @param left how many containers the engine still has of it; undefined where that is not known.
 * @returns what is called when it has ended.
 */
export function tellEnding(left: () => Promise<number | undefined>, say: (text: string) => void): () => void {
  let ended = false
  const tell = async (): Promise<void> => {
    const count = await within(
      ANSWER_MS,
      left().catch(() => undefined),
    )
    if (ended) return
    say(
      count === undefined || count === 0
        ? 'Ending …'
        : `Ending: ${count === 1 ? '1 container is' : `${count} containers are`} left to remove.`,
    )
    timer = setTimeout(tell, AGAIN_MS)
  }
  let timer = setTimeout(tell, LONG_END_MS)
  return () => {
    ended = true
    clearTimeout(timer)
  }
}
