/** What a session that was killed has left of files in the project. */
import { readFile, rm } from 'node:fs/promises'

/** Its folder, and its lock: only while that still names it, as another session may have taken it over. */
export interface LeftFiles {
  readonly session: string
  readonly folder: string
  readonly lock: string
}

/** Removes them. What is gone already is fine. */
export async function removeLeft({ session, folder, lock }: LeftFiles): Promise<void> {
  await rm(folder, { recursive: true, force: true })
  const text = await readFile(lock, 'utf8').catch(() => '{}')
  if ((JSON.parse(text) as { session?: unknown }).session === session) await rm(lock, { force: true })
}
