/**
 * The platform's arguments, exceptions and phrases. Pure: values in, values or a throw out.
 * The words are the specification, compared with workerd's own container object; programs look for them.
 */
import type { Refusal } from '../protocol/worker.ts'

export const ALREADY_RUNNING = 'start() cannot be called on a container that is already running.'
export const START_FAILED = 'Container failed to start'
export const CONNECTION_LOST = 'Network connection lost.'
export const NO_HTTPS =
  'Connecting to a container using HTTPS is not currently supported; use HTTP instead. TLS is unnecessary anyway, as the connection is already secure by default.'

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

/** @throws Error where a name is empty or has `=` or NUL, or a value has NUL. */
export function checkEnvironment(name: string, value: string): void {
  if (name === '') throw new Error('Environment variable names cannot be empty.')
  if (name.includes('=')) throw new Error(`Environment variable names cannot contain '=': ${name}`)
  if (name.includes('\0')) throw new Error(`Environment variable names cannot contain '\\0': ${name}`)
  if (value.includes('\0')) throw new Error(`Environment variable values cannot contain '\\0': ${name}`)
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
