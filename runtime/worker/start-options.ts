/** What start() may be given: converted as Web IDL does, then checked in the platform's order and words. Pure. */
import type { StartOptions } from '../protocol/worker.ts'
import { checkEnvironment, dictionary, isObject, notYet, toInt64, toText, wrongField } from './check.ts'

/** Longest reference of an image, in bytes. */
const MAX_IMAGE_BYTES = 4096
const MAX_LABELS = 10
const MAX_LABEL_NAME_BYTES = 16
const MAX_LABEL_VALUE_BYTES = 64
const INSTANCE_NAMES = new Set(['lite', 'basic', 'standard-1', 'standard-2', 'standard-3', 'standard-4'])

/** start()'s options after conversion, before the checks of their values. */
export interface StartupOptions {
  readonly entrypoint?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly enableInternet: boolean
  readonly labels?: Readonly<Record<string, string>>
  readonly image?: string
  readonly instance?: string | { readonly vcpu: number; readonly memoryMib: number; readonly diskMb: number }
  readonly hardTimeout?: number
  readonly containerSnapshot?: { readonly id: string }
  readonly directorySnapshots?: readonly { readonly dir?: string; readonly mountPoint?: string }[]
}

/**
 * Converts what start() was given, as Web IDL does a dictionary. Comes before the question whether the container runs.
 * @throws TypeError that names the field.
 */
export function convertStart(value: unknown): StartupOptions {
  if (value === undefined || value === null) return { enableInternet: false }
  if (!isObject(value))
    throw new TypeError("Failed to execute 'start' on 'Container': parameter 1 is not of type 'StartupOptions'.")
  const {
    entrypoint,
    enableInternet,
    env,
    image,
    instance,
    labels,
    hardTimeout,
    containerSnapshot,
    directorySnapshots,
  } = value
  return {
    enableInternet: Boolean(enableInternet),
    ...(entrypoint !== undefined && { entrypoint: array(entrypoint, 'entrypoint').map(toText) }),
    ...(env !== undefined && { env: dictionary(env, 'env') }),
    ...(image !== undefined && { image: toText(image) }),
    ...(instance !== undefined && { instance: convertInstance(instance) }),
    ...(labels !== undefined && { labels: dictionary(labels, 'labels') }),
    ...(hardTimeout !== undefined && { hardTimeout: toInt64(hardTimeout) }),
    ...(containerSnapshot !== undefined && { containerSnapshot: convertSnapshot(containerSnapshot) }),
    ...(directorySnapshots !== undefined && {
      directorySnapshots: array(directorySnapshots, 'directorySnapshots').map(convertRestore),
    }),
  }
}

/**
 * Checks the values of converted options, in the platform's order, and keeps what the runtime is told.
 * @param experimental whether the Worker has the `experimental` flag, which alone makes hardTimeout count.
 * @throws Error, TypeError or RangeError; nothing has been done then.
 */
export function checkStart(options: StartupOptions, experimental: boolean): StartOptions {
  const { entrypoint, env, image, instance, labels, hardTimeout, containerSnapshot, directorySnapshots } = options
  for (const [name, text] of Object.entries(env ?? {})) checkEnvironment(name, text)
  if (image !== undefined && containerSnapshot !== undefined)
    throw new TypeError('`image` and `containerSnapshot` are mutually exclusive.')
  const hard = experimental ? hardTimeout : undefined
  if (hard !== undefined && hard <= 0) throw new RangeError('Hard timeout must be greater than 0')
  if (image !== undefined) checkImage(image)
  if (instance !== undefined) checkInstance(instance)
  checkLabels(labels ?? {})
  for (const restore of directorySnapshots ?? []) checkRestorePath(restore.mountPoint ?? restore.dir)
  if (containerSnapshot?.id === '') throw new TypeError('Container snapshot ID cannot be empty.')
  if (containerSnapshot !== undefined || (directorySnapshots ?? []).length > 0) throw notYet('Starting from a snapshot')
  return {
    enableInternet: options.enableInternet,
    ...(entrypoint && { entrypoint }),
    ...(env && { env }),
    ...(image !== undefined && { image }),
    ...(instance !== undefined && { instance }),
    ...(labels && { labels }),
    ...(hard !== undefined && { hardTimeout: hard }),
  }
}

/** @throws Error where there are too many, or a name or value is too long or has control characters. */
export function checkLabels(labels: Readonly<Record<string, string>>): void {
  const entries = Object.entries(labels)
  if (entries.length > MAX_LABELS) throw new Error(`Cannot specify more than ${MAX_LABELS} container labels`)
  for (const [index, [name, value]] of entries.entries()) {
    if (name === '') throw new Error('Label names cannot be empty')
    if (byteLength(name) > MAX_LABEL_NAME_BYTES)
      throw new Error(`Label names cannot exceed ${MAX_LABEL_NAME_BYTES} bytes (index ${index})`)
    if (byteLength(value) > MAX_LABEL_VALUE_BYTES)
      throw new Error(`Label values cannot exceed ${MAX_LABEL_VALUE_BYTES} bytes (index ${index})`)
    if (hasControl(name)) throw new Error(`Label names cannot contain control characters (index ${index})`)
    if (hasControl(value)) throw new Error(`Label values cannot contain control characters (index ${index})`)
  }
}

function checkImage(image: string): void {
  if (image === '') throw new TypeError('Container image reference cannot be empty.')
  if (byteLength(image) > MAX_IMAGE_BYTES)
    throw new TypeError(`Container image reference cannot exceed ${MAX_IMAGE_BYTES} bytes.`)
  if (!/^[\x21-\x7e]+$/.test(image)) {
    throw new TypeError('Container image reference must contain only non-space printable ASCII characters.')
  }
}

function checkInstance(instance: NonNullable<StartupOptions['instance']>): void {
  if (typeof instance === 'string') {
    if (!INSTANCE_NAMES.has(instance)) throw new TypeError('Invalid container instance type.')
    return
  }
  if (!(Number.isFinite(instance.vcpu) && instance.vcpu > 0))
    throw new RangeError('Container resource vcpu must be a finite number greater than 0.')
  for (const name of ['memoryMib', 'diskMb'] as const) {
    const amount = instance[name]
    if (!(Number.isFinite(amount) && amount > 0))
      throw new RangeError(`Container resource ${name} must be a finite number greater than 0.`)
    if (!Number.isInteger(amount)) throw new RangeError(`Container resource ${name} must be an integer.`)
    if (amount > Number.MAX_SAFE_INTEGER)
      throw new RangeError(`Container resource ${name} exceeds Number.MAX_SAFE_INTEGER.`)
  }
}

function checkRestorePath(path: string | undefined): void {
  if (path === undefined) throw new Error('Directory snapshot restore requires a mountPoint when no snapshot is given.')
  if (!path.startsWith('/')) throw new TypeError(`Directory snapshot restore path must be absolute. Got: ${path}`)
  const kept: string[] = []
  for (const part of path.split('/')) {
    if (part.includes('\0') || (part === '..' && kept.length === 0)) {
      throw new TypeError(`Directory snapshot restore path contains invalid components: ${path}`)
    }
    if (part === '..') kept.pop()
    else if (part !== '' && part !== '.') kept.push(part)
  }
  if (kept.length === 0) throw new Error('Directory snapshot cannot be restored to root directory.')
}

function convertInstance(value: unknown): NonNullable<StartupOptions['instance']> {
  if (value === null) throw wrongField('instance', 'string or StartResources')
  if (!isObject(value)) return toText(value)
  return { vcpu: +(value.vcpu as number), memoryMib: +(value.memoryMib as number), diskMb: +(value.diskMb as number) }
}

function convertSnapshot(value: unknown): { id: string } {
  if (!isObject(value)) throw wrongField('containerSnapshot', 'SnapshotRestoreParams')
  return { id: toText(value.id) }
}

function convertRestore(value: unknown, index: number): { dir?: string; mountPoint?: string } {
  if (!isObject(value)) {
    throw new TypeError(
      `Incorrect type for array element ${index}: the provided value is not of type 'DirectorySnapshotRestoreParams'.`,
    )
  }
  const { snapshot, mountPoint } = value
  return {
    ...(isObject(snapshot) && { dir: toText(snapshot.dir) }),
    ...(mountPoint !== undefined && { mountPoint: toText(mountPoint) }),
  }
}

function array(value: unknown, field: string): readonly unknown[] {
  if (!Array.isArray(value)) throw wrongField(field, 'Array')
  return value
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length
}

function hasControl(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) < 0x20) return true
  return false
}
