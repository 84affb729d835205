// What a test file leaves behind: containers, networks and volumes of Moorage on the engine, and processes.
import { execFile } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** The label that everything of a session bears. */
const LABEL = 'moorage.session'

/** Set for every test file, so that all processes under it can be told by their environment. */
export const MARK = 'MOORAGE_TEST_RUN'

/** What a session that was killed leaves is gone within this time, in ms; what is left then is a leak. */
const SETTLE_MS = 3000

/**
 * Everything of Moorage on the engine, one line each, as `container 1f0c… name`. Empty where no engine answers.
 * @returns {Promise<string[]>}
 */
export async function onEngine() {
  const queries = [
    ['container', 'ps', '--all', '--no-trunc', '--format', '{{.ID}} {{.Names}} ({{.Status}})'],
    ['network', 'network', 'ls', '--no-trunc', '--format', '{{.ID}} {{.Name}}'],
    ['volume', 'volume', 'ls', '--format', '{{.Name}}'],
  ]
  const found = await Promise.all(
    queries.map(async ([kind, ...query]) => {
      const { stdout } = await run('docker', [...query, '--filter', `label=${LABEL}`]).catch(() => ({ stdout: '' }))
      return lines(stdout).map((line) => `${kind} ${line}`)
    }),
  )
  return found.flat()
}

/**
 * Processes whose environment bears a mark, as `process 123 command`. Linux only; elsewhere there are none to be seen.
 * @param {string} mark
 * @returns {Promise<string[]>}
 */
export async function processesWith(mark) {
  if (process.platform !== 'linux') return []
  const found = []
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '')
    if (!environment.split('\0').includes(`${MARK}=${mark}`)) continue
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
    // A process that is ending has no command line any more.
    if (command !== '') found.push(`process ${pid} ${command.replaceAll('\0', ' ').trim().slice(0, 200)}`)
  }
  return found
}

/**
 * What is there now and was not before, after the time that an orderly end may take.
 * @param {readonly string[]} before what `onEngine` said
 * @param {string} mark of the file that has ended
 * @returns {Promise<string[]>}
 */
export async function leaksSince(before, mark) {
  const until = performance.now() + SETTLE_MS
  for (;;) {
    const left = [...(await processesWith(mark)), ...newIn(await onEngine(), before)]
    if (left.length === 0 || performance.now() > until) return left
    await sleep(100)
  }
}

/**
 * Lines whose thing (kind and id) no earlier line names: a status may have changed.
 * @param {readonly string[]} now @param {readonly string[]} before
 */
export function newIn(now, before) {
  const known = new Set(before.map(thing))
  return now.filter((line) => !known.has(thing(line)))
}

/** Ends processes that leaked, so that they do not disturb the next file. @param {readonly string[]} leaks */
export function endProcesses(leaks) {
  for (const leak of leaks) {
    const [kind, pid] = leak.split(' ')
    if (kind !== 'process') continue
    try {
      process.kill(Number(pid), 'SIGKILL')
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'ESRCH') throw error
    }
  }
}

/** @param {string} line */
function thing(line) {
  return line.split(' ').slice(0, 2).join(' ')
}

/** @param {string} text */
function lines(text) {
  return text.split('\n').filter((line) => line !== '')
}
