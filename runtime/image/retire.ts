/** Removes images that a later build has replaced. */
import type { Engine } from '../engine/engine.ts'

/** Images kept of a class, the one in use included. */
const KEPT = 2

/** Removes the older images with this value of our label, but not `current`, not the latest others, and not what a container uses. */
export async function retireImages(
  engine: Engine,
  label: string,
  current: string,
  signal?: AbortSignal,
): Promise<void> {
  const ours = await engine.images.list([`moorage.image=${label}`], { signal })
  // A list has whole seconds, in which two builds may fall.
  const infos = await Promise.all(ours.map(({ id }) => engine.images.inspect(id, { signal })))
  const old = infos.filter((image) => image !== undefined).filter((image) => image.id !== current)
  old.sort((a, b) => b.createdAt - a.createdAt)
  for (const image of old.slice(KEPT - 1)) {
    // A tag that is not ours means that somebody wants it.
    if (image.tags.some((tag) => !tag.startsWith('moorage/'))) continue
    // Without force the engine keeps what a container needs; the next build tries again.
    for (const reference of image.tags.length > 0 ? image.tags : [image.id])
      await engine.images.remove(reference, { signal }).catch(() => {})
  }
}
