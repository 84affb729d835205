/** What a person may ask of a process, checked before it is asked. */
import { MoorageError } from '../protocol/errors.ts'

const LAST_SIGNAL = 64
const LAST_SIZE = 65_535

/** @throws MoorageError unless it is a signal's number. */
export function checkSignal(signal: number): void {
  check(isBetween(signal, LAST_SIGNAL), `A signal is a whole number from 1 to ${LAST_SIGNAL}, not ${signal}.`)
}

/** @throws MoorageError unless a terminal can have this size. */
export function checkSize(cols: number, rows: number): void {
  const holds = isBetween(cols, LAST_SIZE) && isBetween(rows, LAST_SIZE)
  check(holds, `A terminal has 1 to ${LAST_SIZE} columns and rows, not ${cols} and ${rows}.`)
}

/** @throws MoorageError where the kernel has no way to say this. */
export function checkCommand(command: {
  readonly argv: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  readonly user?: string
}): void {
  const { argv, env = {}, cwd = '', user = '' } = command
  check(!argv.some(hasNul), 'An argument cannot have a NUL character in it.')
  check(!hasNul(cwd), 'A folder cannot have a NUL character in its name.')
  check(!hasNul(user), 'A user cannot have a NUL character in its name.')
  for (const [name, value] of Object.entries(env)) {
    const holds = name !== '' && !name.includes('=') && !hasNul(name)
    check(holds, `"${name}" is no name of a variable: it may not be empty, or have "=" or a NUL character in it.`)
    check(!hasNul(value), `The value of the variable ${name} has a NUL character in it.`)
  }
}

function check(holds: boolean, message: string): void {
  if (!holds) throw new MoorageError('invalid-argument', message)
}

function isBetween(value: number, last: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= last
}

function hasNul(text: string): boolean {
  return text.includes('\0')
}
