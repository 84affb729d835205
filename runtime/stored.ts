/** Durable Objects that wrangler keeps on the disk: those that sleep, and how many there are. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { ProjectConfig } from './protocol/child.ts'
import { type ObjectKey, type ObjectModel, objectKey, type PlainClassModel } from './protocol/model.ts'
import type { Memory } from './remembered.ts'

/** `<id>.sqlite`: the file of one object. */
const FILE = /^([0-9a-f]{64})\.sqlite$/

/**
 * The objects of the classes with a container, asleep.
 * @param home the config's folder
 * @param remembered what is known of one from earlier sessions
 */
export async function storedObjects(
  home: string,
  { name: project, containers }: Pick<ProjectConfig, 'name' | 'containers'>,
  remembered: (key: ObjectKey) => Memory | undefined,
): Promise<ObjectModel[]> {
  const lists = containers.map(async ({ className }) =>
    (await idsOf(home, project, className)).map((id): ObjectModel => {
      const key = objectKey(className, id)
      const { name, wokeAt } = remembered(key) ?? {}
      return {
        key,
        className,
        id,
        ...(name === undefined ? {} : { name }),
        memory: 'asleep',
        ...(wokeAt === undefined ? {} : { wokeAt }),
        container: { state: 'none' },
      }
    }),
  )
  return (await Promise.all(lists)).flat()
}

/** The classes without a container, with how many objects of each there are. */
export async function plainClasses(
  home: string,
  { name: project, containers, classes }: Pick<ProjectConfig, 'name' | 'containers' | 'classes'>,
): Promise<PlainClassModel[]> {
  const plain = classes.filter((className) => !containers.some((container) => container.className === className))
  return Promise.all(
    plain.map(async (className) => ({
      className,
      project,
      objects: (await idsOf(home, project, className)).length,
    })),
  )
}

async function idsOf(home: string, worker: string, className: string): Promise<string[]> {
  const folder = join(home, '.wrangler', 'state', 'v3', 'do', `${worker}-${className}`)
  // None yet, or a wrangler that keeps them elsewhere: then they are seen when they wake.
  const files = await readdir(folder).catch(() => [])
  return files.flatMap((file) => FILE.exec(file)?.[1] ?? [])
}
