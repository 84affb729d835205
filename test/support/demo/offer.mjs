// Whether `npm run demo` opens the example in VS Code at its end.
import process from 'node:process'
import { createInterface } from 'node:readline/promises'
import { Missing } from '../tools/say.mjs'

/**
 * What is to be done: without a terminal nobody is asked, and only `--vscode` opens it.
 * @param {readonly string[]} words behind `npm run demo --`
 * @param {boolean} hasTerminal both to read from and to write to
 * @returns {'open' | 'ask' | 'leave'}
 * @throws Missing for words that mean nothing here
 */
export function offered(words, hasTerminal) {
  const unknown = words.filter((word) => word !== '--vscode' && word !== '--no-vscode')
  if (unknown.length > 0) throw new Missing(`The demo knows --vscode and --no-vscode, not ${unknown.join(' ')}.`)
  if (words.includes('--no-vscode')) return 'leave'
  if (words.includes('--vscode')) return 'open'
  return hasTerminal ? 'ask' : 'leave'
}

/** Whether an answer means yes. @param {string} answer */
export function isYes(answer) {
  return /^(y|yes)$/i.test(answer.trim())
}

/** Whether the person has a terminal. */
export function hasTerminal() {
  return process.stdin.isTTY === true && process.stdout.isTTY === true
}

/** Asks; an aborted question is answered with no. @param {AbortSignal} signal @returns {Promise<boolean>} */
export async function ask(signal) {
  const lines = createInterface({ input: process.stdin, output: process.stdout })
  // Ctrl-C is eaten by readline, which then only closes.
  const closed = new Promise((resolve) => lines.once('close', () => resolve('')))
  try {
    const question = lines.question('\nOpen the example in VS Code, with the extension? (y/N) ', { signal })
    return isYes(String(await Promise.race([question, closed])))
  } catch {
    return false
  } finally {
    lines.close()
  }
}
