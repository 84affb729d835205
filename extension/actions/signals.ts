/** The signals that people send. */
import * as l10n from '@vscode/l10n'

/** Name, number, and what it is for. */
export interface Signal {
  readonly name: string
  readonly number: number
  readonly use: () => string
}

/** Those of Linux that a person may want, the usual ones first. */
export const SIGNALS: readonly Signal[] = [
  { name: 'SIGTERM', number: 15, use: () => l10n.t('asks it to end') },
  { name: 'SIGINT', number: 2, use: () => l10n.t('as Ctrl-C') },
  { name: 'SIGHUP', number: 1, use: () => l10n.t('often: read the configuration again') },
  { name: 'SIGKILL', number: 9, use: () => l10n.t('ends it at once') },
  { name: 'SIGQUIT', number: 3, use: () => l10n.t('often: end with a dump') },
  { name: 'SIGUSR1', number: 10, use: () => l10n.t("the program's own; Node opens its inspector") },
  { name: 'SIGUSR2', number: 12, use: () => l10n.t("the program's own") },
  { name: 'SIGSTOP', number: 19, use: () => l10n.t('halts it') },
  { name: 'SIGCONT', number: 18, use: () => l10n.t('lets it go on') },
  { name: 'SIGWINCH', number: 28, use: () => l10n.t('its terminal has another size') },
]

/** Those that end programs, and that nobody sends. */
const OTHERS: Readonly<Record<number, string>> = {
  4: 'SIGILL',
  6: 'SIGABRT',
  7: 'SIGBUS',
  8: 'SIGFPE',
  11: 'SIGSEGV',
  13: 'SIGPIPE',
  14: 'SIGALRM',
}

/** The name of a signal: `SIGTERM`, `signal 40`. */
export function signalName(number: number): string {
  return SIGNALS.find((signal) => signal.number === number)?.name ?? OTHERS[number] ?? `signal ${number}`
}

/** The number that a person typed: `9`, `KILL`, `sigkill`; undefined where it is none of 1..64. */
export function signalNumber(text: string): number | undefined {
  const name = text.trim().toUpperCase()
  const known = SIGNALS.find((signal) => signal.name === name || signal.name === `SIG${name}`)
  const number = known?.number ?? Number(name)
  return Number.isInteger(number) && number >= 1 && number <= 64 ? number : undefined
}
