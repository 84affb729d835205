/** Removes images that a later build has replaced. */
import type { Engine } from '../engine/engine.ts'

/** Images kept of a class, the one in use included. */
const KEPT = 2

/** The image that is in use now. */
export interface Current {
  readonly id: string
  readonly reference: string
}

/**
 * Removes the older images with this value of our label, but not the current one, not the latest others, and not what a container uses. Other names
 * of ours for the current one go too: contents that make the same image.
 */
export async function retireImages(
  engine: Engine,
  label: string,
  current: Current,
  signal?: AbortSignal,
): Promise<void> {
  const ours = await engine.images.list([`moorage.image=${label}`], { signal })
  // A list has whole seconds, in which two builds may fall.
  const infos = (await Promise.all(ours.map(({ id }) => engine.images.inspect(id, { signal })))).filter(
    (image) => image !== undefined,
  )
  const old = infos.filter((image) => image.id !== current.id).sort((a, b) => b.createdAt - a.createdAt)
  for (const image of old.slice(KEPT - 1)) {
    // A tag that is not ours means that somebody wants it.
    if (image.tags.some((tag) => !isOurs(tag))) continue
    for (const reference of image.tags.length > 0 ? image.tags : [image.id]) await drop(engine, reference, signal)
  }
  const names = infos.find((image) => image.id === current.id)?.tags ?? []
  for (const tag of names) if (isOurs(tag) && tag !== current.reference) await drop(engine, tag, signal)
}

function isOurs(tag: string): boolean {
  return tag.startsWith('moorage/')
}

/** Without force the engine keeps what a container needs; the next build tries again. */
async function drop(engine: Engine, reference: string, signal: AbortSignal | undefined): Promise<void> {
  await engine.images.remove(reference, { signal }).catch(() => {})
}
