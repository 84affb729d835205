import type { Measured } from './bounds.ts'

/** Takes a time, in ms. */
export type Take = () => Promise<number>

/** How long something takes, in ms. */
export async function took(what: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await what()
  return performance.now() - start
}

/**
 * Takes both times in turn, so that what else the machine does meets both alike. The first `warmUp` rounds do not count, and
 * who goes first changes from round to round.
 */
export async function interleave(rounds: number, warmUp: number, ours: Take, theirs: Take): Promise<Measured> {
  const taken = { ours: [] as number[], theirs: [] as number[] }
  for (let round = 0; round < rounds + warmUp; round++) {
    const order = [
      ['ours', ours],
      ['theirs', theirs],
    ] as const
    for (const [name, take] of round % 2 === 0 ? order : [...order].reverse()) {
      const time = await take()
      if (round >= warmUp) taken[name].push(time)
    }
  }
  return taken
}
