/**
 * The platform's arguments, exceptions and phrases. Pure: values in, values or a throw out.
 * The words are the specification, compared with workerd's own container object; programs look for them.
 */
import type { Refusal, StartOptions } from '../protocol/worker.ts'

export const ALREADY_RUNNING = 'start() cannot be called on a container that is already running.'
export const START_FAILED = 'Container failed to start'
export const CONNECTION_LOST = 'Network connection lost.'
export const NO_HTTPS =
  'Connecting to a container using HTTPS is not currently supported; use HTTP instead. TLS is unnecessary anyway, as the connection is already secure by default.'

/** Longest reference of an image, in bytes. */
const MAX_IMAGE_BYTES = 4096
const MAX_LABELS = 10
const MAX_LABEL_NAME_BYTES = 16
const MAX_LABEL_VALUE_BYTES = 64
const INSTANCE_NAMES = new Set(['lite', 'basic', 'standard-1', 'standard-2', 'standard-3', 'standard-4'])

/** The error of a method that needs a running container, e.g. `monitor() cannot be called on …`. */
export function notRunning(method: string): Error {
  return new Error(`${method}() cannot be called on a container that is not running.`)
}

/** The error of a part of the API that Moorage does not have yet. */
export function notYet(what: string): Error {
  return new Error(
    `${what} is not there yet in Moorage. It works on Cloudflare; this version of Moorage cannot run it.`,
  )
}

/** How a nonzero exit of the root process is told; `exitCode` is a number. */
export function exitError(exitCode: number): Error & { exitCode: number } {
  return Object.assign(new Error(`Container exited with unexpected exit code: ${exitCode}`), { exitCode })
}

/** The error that a refusal of the runtime stands for. */
export function refusalError(refusal: Refusal): Error {
  const Type = refusal.name === 'TypeError' ? TypeError : refusal.name === 'RangeError' ? RangeError : Error
  const error =
    refusal.cause === undefined
      ? new Type(refusal.message)
      : new Type(refusal.message, { cause: new Error(refusal.cause) })
  return refusal.retryable === undefined ? error : Object.assign(error, { retryable: refusal.retryable })
}

/** @throws TypeError where the method's first argument was left out. */
export function requireArgument(args: readonly unknown[], method: string, type: string, on = 'Container'): void {
  if (args.length === 0)
    throw new TypeError(`Failed to execute '${method}' on '${on}': parameter 1 is not of type '${type}'.`)
}

/**
 * A `long` of Web IDL: strings and fractions become whole numbers, NaN and infinities 0.
 * @throws TypeError for a symbol, a bigint, or a number that does not fit.
 */
export function toInt32(value: unknown): number {
  const number = +(value as number)
  if (!Number.isFinite(number)) return 0
  const whole = Math.trunc(number) + 0
  if (whole < -2147483648 || whole > 2147483647) throw outOfRange('-2147483648', '2147483647')
  return whole
}

/**
 * A 64-bit integer, given as number or bigint; fractions are cut off.
 * @returns a number: milliseconds beyond 2^53 lose their last bits, which no timer notices.
 * @throws TypeError where it is no integer or does not fit.
 */
export function toInt64(value: unknown): number {
  if (typeof value === 'bigint') {
    if (BigInt.asIntN(64, value) !== value)
      throw new TypeError('The value cannot be converted because it would be truncated.')
    return Number(value)
  }
  const number = +(value as number)
  if (!Number.isFinite(number)) throw new TypeError('The value cannot be converted because it is not an integer.')
  if (number < -(2 ** 63) || number >= 2 ** 63) throw outOfRange('-9223372036854775808', '9223372036854775807')
  return Math.trunc(number) + 0
}

function outOfRange(low: string, high: string): TypeError {
  return new TypeError(`Value out of range. Must be between ${low} and ${high} (inclusive).`)
}

/**
 * A signal for the root process or an exec.
 * @throws RangeError outside 1..64, TypeError as toInt32.
 */
export function checkSignal(value: unknown): number {
  const signal = toInt32(value)
  if (signal < 1 || signal > 64) throw new RangeError('Invalid signal number.')
  return signal
}

/** @throws TypeError outside 1..65535. */
export function checkPort(value: unknown): number {
  const port = toInt32(value)
  if (port < 1 || port > 65535) throw new TypeError(`Invalid port number: ${port}`)
  return port
}

/** @throws TypeError where it is no positive number of milliseconds. */
export function checkInactivityTimeout(value: unknown): number {
  const durationMs = toInt64(value)
  if (durationMs <= 0) throw new TypeError('setInactivityTimeout() cannot be called with a durationMs <= 0')
  return durationMs
}

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

/** @throws Error where a name is empty or has `=` or NUL, or a value has NUL. */
export function checkEnvironment(name: string, value: string): void {
  if (name === '') throw new Error('Environment variable names cannot be empty.')
  if (name.includes('=')) throw new Error(`Environment variable names cannot contain '=': ${name}`)
  if (name.includes('\0')) throw new Error(`Environment variable names cannot contain '\\0': ${name}`)
  if (value.includes('\0')) throw new Error(`Environment variable values cannot contain '\\0': ${name}`)
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

/** A record of strings. @throws TypeError that names the field and the dictionary it is in. */
export function dictionary(value: unknown, field: string, on?: string): Record<string, string> {
  if (!isObject(value) || Array.isArray(value)) throw wrongField(field, 'object', on)
  return Object.fromEntries(Object.keys(value).map((name) => [name, toText(value[name])]))
}

/** A template throws for a symbol, which String() would not. */
export function toText(value: unknown): string {
  return `${value as string}`
}

/** How a field of the wrong type is told; `on` is the dictionary. */
export function wrongField(field: string, type: string, on = 'StartupOptions'): TypeError {
  return new TypeError(
    `Incorrect type for the '${field}' field on '${on}': the provided value is not of type '${type}'.`,
  )
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return (typeof value === 'object' && value !== null) || typeof value === 'function'
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length
}

function hasControl(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) < 0x20) return true
  return false
}
