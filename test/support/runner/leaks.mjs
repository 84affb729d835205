// What a test file leaves behind: containers, networks and volumes of Moorage on the engine, and processes.
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** The label that everything of a session bears. */
const LABEL = 'moorage.session'

/** The label that names the process of the session. */
const OWNER = 'moorage.owner'

/** Set for every test file, so that all processes under it can be told by their environment. */
export const MARK = 'MOORAGE_TEST_RUN'

/** What a session that was killed leaves is gone within this time, in ms; what is left then is a leak. */
const SETTLE_MS = 3000

/**
 * Everything of Moorage on the engine, one line each, as `container 1f0c… name`. What belongs to a process that lives is left
 * out: someone else is at work with it, and a process of ours that lives on is told by itself. Empty where no engine answers.
 * @returns {Promise<string[]>}
 */
export async function onEngine() {
  const owner = `{{.Label "${OWNER}"}}`
  const queries = [
    ['container', 'ps', '--all', '--no-trunc', '--format', `${owner}\t{{.ID}} {{.Names}} ({{.Status}})`],
    ['network', 'network', 'ls', '--no-trunc', '--format', `${owner}\t{{.ID}} {{.Name}}`],
    ['volume', 'volume', 'ls', '--format', `${owner}\t{{.Name}}`],
  ]
  const found = await Promise.all(
    queries.map(async ([kind, ...query]) => {
      const { stdout } = await run('docker', [...query, '--filter', `label=${LABEL}`]).catch(() => ({ stdout: '' }))
      return lines(stdout).flatMap((line) => {
        const [owner = '', thing = ''] = line.split('\t')
        return lives(owner) ? [] : [`${kind} ${thing}`]
      })
    }),
  )
  return found.flat()
}

/** Whether the process that a label names is there. @param {string} owner `host:pid:start` */
function lives(owner) {
  const pid = Number(owner.split(':').at(-2))
  return pid > 0 && existsSync(`/proc/${pid}`)
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
 * @param {readonly string[] | undefined} before what `onEngine` said; undefined: only processes are looked for
 * @param {string} mark of the file that has ended
 * @returns {Promise<string[]>}
 */
export async function leaksSince(before, mark) {
  const until = performance.now() + SETTLE_MS
  for (;;) {
    const things = before === undefined ? [] : newIn(await onEngine(), before)
    const left = [...(await processesWith(mark)), ...things]
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
