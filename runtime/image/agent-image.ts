/** The image of our native program: one file, no base, no registry. */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pack } from 'tar-stream'
import type { Engine } from '../engine/engine.ts'
import { MoorageError } from '../protocol/errors.ts'
import { retireImages } from './retire.ts'

/** Where the program is in the image. */
export const AGENT_PATH = '/moorage-agent'

/**
 * Makes sure that the image is there, made from `<folder>/moorage-agent-<arch>` for the engine's processor. Resolves with its reference.
 * Rejects with 'image-platform' where there is no such program.
 */
export async function agentImage(engine: Engine, folder: string, signal?: AbortSignal): Promise<string> {
  const { arch } = engine.about
  const file = `${folder}/moorage-agent-${arch}`
  const program = await readFile(file).catch((error) => {
    throw new MoorageError('image-platform', `Moorage has no program for this engine's processor (${arch}).`, {
      advice: ['Use an engine on amd64 or arm64.'],
      detail: { file, arch },
      cause: error,
    })
  })
  const hash = createHash('sha256').update(program).digest('hex').slice(0, 12)
  const reference = `moorage/agent:${hash}`
  if (await engine.images.inspect(reference, { signal })) return reference
  const tar = pack()
  tar.entry({ name: AGENT_PATH.slice(1), mode: 0o755 }, program)
  tar.finalize()
  const id = await engine.images.import(Readable.from(tar), {
    reference,
    changes: [`ENTRYPOINT ["${AGENT_PATH}"]`, `LABEL moorage.image=agent`],
    signal,
  })
  // Tidying must not fail what was made.
  await retireImages(engine, 'agent', { id, reference }, signal).catch(() => {})
  return reference
}
