// Running commands of the machine.
import { spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import process from 'node:process'

/**
 * @typedef {object} Ended
 * @property {number} code 127 where there is no such command, 128 where a signal ended it
 * @property {string} output all that it printed
 */

/**
 * @typedef {object} RunOptions
 * @property {string} [cwd]
 * @property {NodeJS.ProcessEnv} [env]
 * @property {NodeJS.ReadableStream} [input] what it reads; none: its stdin is at its end
 * @property {number} [timeoutMs] after it the command is ended
 * @property {AbortSignal} [signal] ends the command when aborted
 */

/**
 * Runs a command and resolves when it has ended, whatever its exit code.
 * @param {string} command @param {readonly string[]} args
 * @param {RunOptions} [options]
 * @returns {Promise<Ended>}
 */
export function run(command, args, { cwd, env, input, timeoutMs, signal } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd, env, timeout: timeoutMs, signal, stdio: ['pipe', 'pipe', 'pipe'] })
    let output = ''
    child.stdout.on('data', (chunk) => {
      output += chunk
    })
    child.stderr.on('data', (chunk) => {
      output += chunk
    })
    // A command may end without reading its input.
    child.stdin.on('error', () => {})
    if (input === undefined) child.stdin.end()
    else input.pipe(child.stdin)
    child.on('error', (error) => resolve({ code: 127, output: `${output}${error.message}` }))
    child.on('close', (code) => resolve({ code: code ?? 128, output }))
  })
}

/**
 * Runs a command that has to succeed.
 * @param {string} command @param {readonly string[]} args
 * @param {RunOptions} [options]
 * @returns {Promise<string>} what it printed
 * @throws an Error with the command and the end of its output where it fails
 */
export async function must(command, args, options) {
  const { code, output } = await run(command, args, options)
  options?.signal?.throwIfAborted()
  if (code !== 0) throw new Error(`${[command, ...args].join(' ')} ended with ${code}:\n${output.slice(-3000)}`)
  return output
}

/**
 * The path of a command, as the shell would find it, undefined where there is none. Root's folders count for everyone.
 * @param {string} name @param {string} [path] what PATH says
 */
export function find(name, path = process.env.PATH ?? '') {
  const folders = [...path.split(delimiter).filter((folder) => folder !== ''), '/usr/sbin', '/sbin']
  return folders.map((folder) => join(folder, name)).find(isExecutable)
}

/** @param {string} file */
function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
