/** What sentences about the Container class have in common. */
import type { Hooked } from '../hooked.ts'

/** A sentence about the Container class, done. */
export type HookSentence = (o: Hooked, args: Record<string, string>) => unknown

/** The state of the class is private to it: here it is set as a subclass's fields would. */
export function configure(o: Hooked, fields: Record<string, unknown>): void {
  Object.assign(o, fields)
  o.renewActivityTimeout()
}

/** Sets sleepAfter on a container that runs: the class looks at it again when something is scheduled. */
export async function hurry(o: Hooked, sleepAfter: number | string): Promise<void> {
  configure(o, { sleepAfter })
  await o.schedule(0, 'scheduled', 'hurry')
}

export const hooksSeen = (o: Hooked): string[] => o.moments().map(({ hook }) => hook)

export async function text(o: Hooked, path: string, port?: number): Promise<string> {
  return (await o.containerFetch(`http://container/${path}`, {}, port ?? 8080)).text()
}

export async function json<T>(o: Hooked, path: string): Promise<T> {
  return JSON.parse(await text(o, path)) as T
}
