/** From wrangler's config to what a session needs to know of a project. Pure, but for the question whether a file is there. */
import { basename, dirname, resolve } from 'node:path'
import type { ContainerConfig, ProjectConfig } from '../protocol/child.ts'
import { MoorageError } from '../protocol/errors.ts'

type Image = ContainerConfig['image']

/** The parts of wrangler's normalized config that are looked at. */
export interface WranglerConfig {
  readonly name?: string
  readonly main?: string
  readonly configPath?: string
  readonly compatibility_date?: string
  readonly compatibility_flags?: readonly string[]
  readonly no_bundle?: boolean
  readonly account_id?: string
  readonly base_dir?: string
  readonly build?: { readonly command?: string }
  readonly containers?: readonly WranglerContainer[]
  readonly exports?: Readonly<
    Record<string, { readonly type?: string; readonly state?: string; readonly container?: string }>
  >
  readonly durable_objects?: {
    readonly bindings?: readonly { readonly class_name: string; readonly script_name?: string }[]
  }
  readonly services?: readonly unknown[]
}

export interface WranglerContainer {
  readonly name?: string
  readonly class_name?: string
  readonly image?: string
  readonly images?: Readonly<
    Record<
      string,
      {
        readonly image?: string
        readonly dockerfile?: string
        readonly build_context?: string
        readonly build_vars?: Readonly<Record<string, string>>
      }
    >
  >
  readonly image_build_context?: string
  readonly image_vars?: Readonly<Record<string, string>>
  readonly instance_type?: string | { readonly vcpu?: number; readonly memory_mib?: number; readonly disk_mb?: number }
  readonly max_instances?: number
}

/** What is not in the config. */
export interface Surroundings {
  /** Absolute path of the config file. */
  readonly config: string
  readonly wranglerVersion: string
  /** Whether there is a file at an absolute path. */
  readonly isFile: (path: string) => boolean
}

/** wrangler's default date where a config has none; only compared with, never set. */
const NO_DATE = '9999-99-99'

/**
 * @throws MoorageError `config-invalid` where there is no main module or a container belongs to no class,
 *   `no-containers` where there is none at all, `dockerfile-missing` where an image is neither a file nor a reference.
 */
export function readProject(config: WranglerConfig, around: Surroundings): ProjectConfig {
  if (!config.main) {
    throw new MoorageError('config-invalid', `${around.config} names no main module.`, {
      advice: ["Add `main`, the path of the Worker's module."],
    })
  }
  const main = resolve(dirname(around.config), config.main)
  if (!around.isFile(main)) {
    throw new MoorageError('config-invalid', `\`main\` in ${around.config} names ${main}, which is not there.`)
  }
  const containers = (config.containers ?? []).map((container) => readContainer(container, config, around))
  if (containers.length === 0) {
    throw new MoorageError('no-containers', `${around.config} has no containers section.`, {
      advice: [
        'Add `containers: [{ class_name: "MyContainer", image: "./Dockerfile" }]`, or run `wrangler dev`, which is all that this Worker needs.',
      ],
    })
  }
  const name = config.name ?? basename(dirname(around.config))
  const bound = (config.durable_objects?.bindings ?? []).filter(
    ({ script_name }) => script_name === undefined || script_name === name,
  )
  const exported = Object.entries(config.exports ?? {}).filter(
    ([, { type, state }]) => type === 'durable-object' && (state === undefined || state === 'created'),
  )
  const classes = [
    ...bound.map(({ class_name }) => class_name),
    ...exported.map(([className]) => className),
    ...containers.map(({ className }) => className),
  ]
  return {
    name,
    config: around.config,
    wranglerVersion: around.wranglerVersion,
    main,
    compatibilityDate: config.compatibility_date ?? '',
    compatibilityFlags: config.compatibility_flags ?? [],
    containers,
    classes: [...new Set(classes)],
  }
}

/** What the compatibility date and flags mean for the container's methods. */
export function platformSettings(project: Pick<ProjectConfig, 'compatibilityDate' | 'compatibilityFlags'>): {
  captures: boolean
  experimental: boolean
} {
  const { compatibilityDate, compatibilityFlags } = project
  const has = (flag: string): boolean => compatibilityFlags.includes(flag)
  const dated = (compatibilityDate || NO_DATE) >= '2022-10-31'
  return {
    captures: has('capture_async_api_throws') || (dated && !has('do_not_capture_async_api_throws')),
    experimental: has('experimental'),
  }
}

function readContainer(container: WranglerContainer, config: WranglerConfig, around: Surroundings): ContainerConfig {
  const linked = Object.entries(config.exports ?? {}).find(
    ([, entry]) => entry.container !== undefined && entry.container === container.name,
  )
  const className = container.class_name ?? linked?.[0]
  const name = container.name ?? className?.toLowerCase() ?? ''
  if (className === undefined) {
    throw new MoorageError(
      'config-invalid',
      `The container ${name || '(without a name)'} in ${around.config} belongs to no class.`,
      {
        advice: ['Give it a `class_name`, or name it in the `container` field of a class in `exports`.'],
      },
    )
  }
  const folder = dirname(around.config)
  const images = Object.fromEntries(
    Object.entries(container.images ?? {}).map(([imageName, image]): [string, Image] => [
      imageName,
      image.dockerfile === undefined
        ? { reference: image.image ?? '' }
        : dockerfile(resolve(folder, image.dockerfile), image.build_context, image.build_vars, folder),
    ]),
  )
  // Where the object chooses the image at each start, the first one stands for the class.
  const image =
    container.image === undefined
      ? Object.values(images)[0]
      : readImage(container.image, container, className, folder, around)
  if (image === undefined) {
    throw new MoorageError('config-invalid', `The container of ${className} in ${around.config} has no image.`, {
      advice: ['Set `image` to the path of a Dockerfile or to an image reference.'],
    })
  }
  return {
    className,
    name,
    image,
    images,
    instanceType: readInstanceType(container.instance_type),
    maxInstances: container.max_instances,
  }
}

/**
 * wrangler refuses a config as a whole where one Dockerfile is missing; this says which.
 * @param containers as they are written; what else is wrong with them is not looked at.
 * @throws MoorageError `dockerfile-missing`.
 */
export function checkDockerfiles(containers: readonly WranglerContainer[], around: Surroundings): void {
  for (const container of containers) {
    if (typeof container.image !== 'string') continue
    readImage(container.image, container, container.class_name ?? container.name ?? '', dirname(around.config), around)
  }
}

function readImage(
  image: string,
  container: WranglerContainer,
  className: string,
  folder: string,
  around: Surroundings,
): Image {
  const path = resolve(folder, image)
  if (around.isFile(path)) return dockerfile(path, container.image_build_context, container.image_vars, folder)
  if (!looksLikePath(image)) return { reference: image }
  throw new MoorageError('dockerfile-missing', `The Dockerfile of ${className} is not there: ${path}`, {
    advice: ['Correct `image` of this container in the config, or write the file.'],
    detail: { className, path },
  })
}

function dockerfile(
  path: string,
  context: string | undefined,
  args: Readonly<Record<string, string>> | undefined,
  folder: string,
): Image {
  return {
    dockerfile: path,
    context: context === undefined ? dirname(path) : resolve(folder, context),
    args: args ?? {},
  }
}

/** An image reference never begins with a dot or a slash, and nobody names an image's last part Dockerfile. */
function looksLikePath(image: string): boolean {
  return /^[./\\]|^[A-Za-z]:[/\\]/.test(image) || /(^|[/\\])[^/\\:]*Dockerfile[^/\\:]*$/i.test(image)
}

function readInstanceType(type: WranglerContainer['instance_type']): ContainerConfig['instanceType'] {
  if (type === undefined || type === 'dev') return 'lite'
  if (type === 'standard') return 'standard-1'
  if (typeof type === 'string') return type
  return {
    ...(type.vcpu !== undefined && { vcpu: type.vcpu }),
    ...(type.memory_mib !== undefined && { memoryMib: type.memory_mib }),
    ...(type.disk_mb !== undefined && { diskMb: type.disk_mb }),
  }
}
