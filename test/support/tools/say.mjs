// Words for the person who waits.
import process from 'node:process'

/** Says in one line what is being done. @param {string} text */
export function say(text) {
  process.stdout.write(`· ${text}\n`)
}

/** Something is missing that only the person can bring about; the message says how. */
export class Missing extends Error {
  /** @override */
  name = 'Missing'
}
