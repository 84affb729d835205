/** What the wrangler child and its workerd print, line by line: whose it is, and how bad. */
import type { FromChild } from '../protocol/child.ts'
import { isAtLeast } from './found.ts'

type Log = Extract<FromChild, { type: 'log' }>

/** The first wrangler that hands the Worker's console over by itself; an older one prints it among its own lines. */
const HANDS_CONSOLE_OVER = '4.100.0'

/** How a line begins that wrangler or miniflare prints about something else than the one before. */
const OWN_LINE = /^(\[[\w:-]+\]|\[wrangler|\[mf:|⎔|🪵|⛅|─)/u

/** An exception that the Worker threw, its stack in the developer's own lines: printed and nothing more. */
const UNCAUGHT = /^\[wrangler[\w-]*:error\] (.*)$/u

/** The same as the inspector has it: the message, and the name again where a stack follows, else a space. */
const INSPECTED = /^✘ \[ERROR\] Uncaught (.*) (\w*)$/u
/** An exception that ends an object is told again, without its stack, by all that waited for the object, at most this much later. */
const AGAIN_MS = 3_000

const FRAME = /^\s+at /u

/** Whether a line that an older wrangler prints is the Worker's: all are that do not look like wrangler's own. */
export function isOldWorkersLine(text: string, version: string | undefined): boolean {
  if (version === undefined || isAtLeast(version, HANDS_CONSOLE_OVER)) return false
  return !/^(\[wrangler|\[mf:|⎔|🪵|⛅|─|\s+at |Error: getaddrinfo )/u.test(text)
}

/** Reads what one stream of the child prints. It remembers whether an exception is being told. */
export class OutputReader {
  readonly #level: 'info' | 'error'
  /** Of the exception that is being told: its message, its stack, or none. */
  #telling: 'message' | 'stack' | undefined
  /** The last exception that the inspector told of, and when. */
  #inspected: { readonly message: string; readonly at: number } | undefined

  /** @param level how bad is what nothing more is known of. */
  constructor(level: 'info' | 'error') {
    this.#level = level
  }

  /**
   * @param serving whether the Worker has begun to serve: what is printed before is wrangler's.
   * @param version of the project's wrangler.
   * @param now in ms, of a clock that only goes forward.
   */
  read(text: string, serving: boolean, version: string | undefined, now = performance.now()): Log {
    if (this.#isAgain(text, now)) return { type: 'log', level: 'debug', from: 'wrangler', text }
    const uncaught = serving ? UNCAUGHT.exec(text) : null
    if (uncaught !== null) {
      this.#telling = 'message'
      return { type: 'log', level: 'error', from: 'worker', text: uncaught[1] ?? '' }
    }
    if (this.#goesOn(text)) return { type: 'log', level: 'error', from: 'worker', text }
    return this.#level === 'info' && serving && isOldWorkersLine(text, version)
      ? { type: 'log', level: 'log', from: 'worker', text }
      : { type: 'log', level: this.#level, from: 'wrangler', text }
  }

  /** Whether a line tells an exception again, and nothing more of it. */
  #isAgain(text: string, now: number): boolean {
    const [, message, name] = INSPECTED.exec(text) ?? []
    if (message === undefined) return false
    const last = this.#inspected
    if (name === '' && last?.message === message && now - last.at < AGAIN_MS) return true
    this.#inspected = { message, at: now }
    return false
  }

  /** Whether a line belongs to the exception: more of a message, a frame, or a cause with a message and frames of its own. */
  #goesOn(text: string): boolean {
    if (this.#telling === undefined) return false
    if (FRAME.test(text)) this.#telling = 'stack'
    else if (/^\s*(Caused by:|\[cause\]:)/u.test(text)) this.#telling = 'message'
    else if (this.#telling === 'stack' || OWN_LINE.test(text)) this.#telling = undefined
    return this.#telling !== undefined
  }
}
