/** A VS Code server, started for one test. */
import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'

export interface Server extends AsyncDisposable {
  readonly port: number
  /** All that it has printed so far. */
  output(): string
}

/** An extension host may take this time to end a session, in ms. */
const HOSTS_MS = 15_000

/** What keeps a page quiet: nothing opens by itself, nothing asks. */
export const QUIET = {
  'workbench.startupEditor': 'none',
  'workbench.tips.enabled': false,
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'chat.disableAIFeatures': true,
  'chat.commandCenter.enabled': false,
  'extensions.ignoreRecommendations': true,
  'git.enabled': false,
  // How many there are is chance.
  'remote.autoForwardPorts': false,
  'telemetry.telemetryLevel': 'off',
  'window.menuBarVisibility': 'compact',
  // What it shows is read from the page, which a canvas would not give.
  'terminal.integrated.gpuAcceleration': 'off',
  'workbench.colorTheme': 'Default Dark Modern',
}

/**
 * Starts a server and resolves when it listens on a free port of loopback. Its data lies in a folder that goes with it.
 * @param options.folder of the server, which holds `out/server-main.js`; run by the Node that runs this
 * @param options.settings besides those that keep it quiet
 * @param options.env what its extension host sees, besides our own environment
 */
export async function startServer(options: {
  readonly folder: string
  readonly settings: Readonly<Record<string, unknown>>
  readonly env: Readonly<Record<string, string>>
}): Promise<Server> {
  const data = await mkdtemp(join(tmpdir(), 'moorage-vscode-'))
  const machine = join(data, 'data', 'Machine')
  await mkdir(machine, { recursive: true })
  await writeFile(join(machine, 'settings.json'), JSON.stringify({ ...QUIET, ...options.settings }))
  const args = [
    join(options.folder, 'out/server-main.js'),
    ...['--host', '127.0.0.1', '--port', '0', '--without-connection-token', '--accept-server-license-terms'],
    // Only with this does the workbench honour an extension under development.
    '--enable-smoke-test-driver',
    ...['--disable-workspace-trust', '--telemetry-level', 'off'],
    ...['--server-data-dir', data, '--extensions-dir', join(data, 'extensions')],
  ]
  const child = spawn(process.execPath, args, {
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    // Its extension hosts are in its process group, and outlive it while they end what they run.
    detached: true,
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk))
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const server: Server = {
    port: 0,
    output: () => output,
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM')
      await ended
      await groupEnded(child.pid ?? 0)
      await rm(data, { recursive: true, force: true, maxRetries: 5 })
    },
  }
  const listening = (async () => {
    for await (const line of createInterface(child.stdout)) {
      const port = /bound to 127\.0\.0\.1:(\d+)|listening on (\d+)/.exec(line)
      if (port !== null) return Number(port[1] ?? port[2])
    }
    throw new Error(`The VS Code server ended before it listened:\n${output}`)
  })()
  try {
    return { ...server, port: await listening }
  } catch (error) {
    await server[Symbol.asyncDispose]()
    throw error
  }
}

/** Resolves when no process of a group lives; those that take longer than HOSTS_MS are killed. */
async function groupEnded(group: number): Promise<void> {
  const until = performance.now() + HOSTS_MS
  while (await hasMembers(group)) {
    if (performance.now() > until) {
      process.kill(-group, 'SIGKILL')
      return
    }
    await sleep(50)
  }
}

/** Whether a process of the group lives. One that nobody has collected (there is no init in some containers) does not. */
async function hasMembers(group: number): Promise<boolean> {
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
    const [state, , ofGroup] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (Number(ofGroup) === group && state !== 'Z') return true
  }
  return false
}
