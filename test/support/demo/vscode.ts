/**
 * The demo's last part: examples/quotes in VS Code, with the extension of this checkout. Ends with Enter, or with a signal,
 * and takes the copy of the example with it. MOORAGE_DEMO_CODE is the path of a desktop VS Code's command; without it
 * MOORAGE_TEST_VSCODE is the folder of a VS Code server.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { copyExample } from '../project.ts'
import { root } from '../root.mjs'
import { say } from '../tools/say.mjs'
import { serveVSCode } from './server.ts'

async function main(stopped: AbortSignal): Promise<void> {
  await using project = await copyExample('quotes')
  await settings(project.folder)
  const code = process.env.MOORAGE_DEMO_CODE
  if (code !== undefined) {
    await openDesktop(code, project.folder)
    say('VS Code opens the example. In its activity bar is Moorage: press Start Containers there.')
    return end(stopped)
  }
  await using server = await serveVSCode({
    folder: process.env.MOORAGE_TEST_VSCODE ?? '',
    extension: root,
    open: project.folder,
  })
  say(`VS Code shows the example at\n\n    ${server.url}\n`)
  say('In its activity bar is Moorage: press Start Containers there.')
  await end(stopped, server.ended)
}

/** No base image can be pulled everywhere: the one made on this machine stands in. */
async function settings(folder: string): Promise<void> {
  const base = process.env.MOORAGE_TEST_BASE
  if (base === undefined) return
  await mkdir(join(folder, '.vscode'), { recursive: true })
  const text = JSON.stringify({ 'moorage.buildArgs': { BASE: base } }, undefined, 2)
  await writeFile(join(folder, '.vscode', 'settings.json'), `${text}\n`)
}

/** Resolves when the command has handed the folder on to VS Code. */
async function openDesktop(code: string, folder: string): Promise<void> {
  const args = ['--new-window', `--extensionDevelopmentPath=${root}`, folder]
  const child = spawn(code, args, { stdio: 'inherit', shell: process.platform === 'win32' })
  const [exitCode] = (await once(child, 'exit')) as [number | null]
  if (exitCode !== 0) throw new Error(`${code} ended with ${exitCode}.`)
}

/** Waits for the person. Without a terminal there is no Enter. */
async function end(stopped: AbortSignal, ended: Promise<string> = new Promise(() => undefined)): Promise<void> {
  const { isTTY } = process.stdin
  say(`${isTTY ? 'Enter or Ctrl-C' : 'Ctrl-C'} ends this, and removes the copy of the example.`)
  const aborted = once(stopped, 'abort').then(() => undefined)
  const enter = isTTY ? once(process.stdin, 'data').then(() => undefined) : aborted
  // Waiting for a signal alone does not keep a process.
  const alive = setInterval(() => undefined, 60_000)
  const early = await Promise.race([ended, aborted, enter])
  clearInterval(alive)
  process.stdin.pause()
  if (early !== undefined) throw new Error(`The VS Code server ended: ${early}`)
}

const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop.abort())
try {
  await main(stop.signal)
} catch (error) {
  say(`VS Code did not open. ${error instanceof Error ? error.message : error}`)
  process.exitCode = 1
}
