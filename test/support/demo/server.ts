/** VS Code's browser build for the demo: on loopback, behind a token of its own. */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { below, lives } from '../left.ts'

export interface VSCodeServer extends AsyncDisposable {
  /** Of the page, with the token. */
  readonly url: string
  /** Resolves with what it printed when it ends by itself. */
  readonly ended: Promise<string>
}

/** Its extension hosts may take this time to end a session, in ms. */
const HOSTS_MS = 15_000

/** The page begins with the example's README, and offers nothing that has nothing to do with it. */
const QUIET = {
  'workbench.startupEditor': 'readme',
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'chat.disableAIFeatures': true,
  'extensions.ignoreRecommendations': true,
  'telemetry.telemetryLevel': 'off',
}

/** The address of the page: a folder, with an extension that is under development. */
export function pageUrl(at: {
  readonly port: number
  readonly token: string
  readonly extension: string
  readonly open: string
}): string {
  const payload = [['extensionDevelopmentPath', `vscode-remote://127.0.0.1:${at.port}${at.extension}`]]
  const query = new URLSearchParams({ tkn: at.token, folder: at.open, payload: JSON.stringify(payload) })
  return `http://127.0.0.1:${at.port}/?${query}`
}

/**
 * Starts it, and resolves when it listens.
 * @param options.folder of the server, which holds `out/server-main.js`; run by the Node that runs this
 * @param options.extension the folder of the extension, absolute
 * @param options.open the folder that the page shows, absolute
 */
export async function serveVSCode(options: {
  readonly folder: string
  readonly extension: string
  readonly open: string
}): Promise<VSCodeServer> {
  const data = await mkdtemp(join(tmpdir(), 'moorage-demo-'))
  await mkdir(join(data, 'data', 'Machine'), { recursive: true })
  await writeFile(join(data, 'data', 'Machine', 'settings.json'), JSON.stringify(QUIET))
  const token = randomBytes(16).toString('hex')
  const args = [
    join(options.folder, 'out/server-main.js'),
    ...['--host', '127.0.0.1', '--port', '0', '--connection-token', token, '--accept-server-license-terms'],
    // Only with this does the workbench honour an extension under development.
    '--enable-smoke-test-driver',
    // The folder is our own example.
    ...['--disable-workspace-trust', '--telemetry-level', 'off'],
    ...['--server-data-dir', data, '--extensions-dir', join(data, 'extensions')],
  ]
  // In a process group of its own: Ctrl-C must not end extension hosts before their sessions are disposed of.
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk))
  const ended = new Promise<string>((resolve) => child.once('exit', () => resolve(output)))
  const stop = async (): Promise<void> => {
    const hosts = await below(child.pid ?? 0)
    child.kill('SIGTERM')
    await ended
    const until = performance.now() + HOSTS_MS
    for (const { pid } of hosts) {
      while ((await lives(pid)) && performance.now() < until) await sleep(50)
      if (await lives(pid)) process.kill(pid, 'SIGKILL')
    }
    await rm(data, { recursive: true, force: true, maxRetries: 5 })
  }
  for await (const line of createInterface(child.stdout)) {
    const port = Number(/bound to 127\.0\.0\.1:(\d+)|listening on (\d+)/.exec(line)?.slice(1).find(Boolean))
    if (!Number.isNaN(port)) {
      child.stdout.resume()
      return { url: pageUrl({ port, token, ...options }), ended, [Symbol.asyncDispose]: stop }
    }
  }
  await stop()
  throw new Error(`The VS Code server ended before it listened:\n${output}`)
}
