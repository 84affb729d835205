/**
 * A Docker engine of a test's own, to stop and kill: its data, its socket, and a network namespace for its bridges and
 * firewall rules, so that the machine's engine is not touched. What talks to its containers runs in that namespace too.
 * Linux and root only.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { below, docker, processesNaming } from './left.ts'
import { until } from './session.ts'

const run = promisify(execFile)

/** Whether one can be had here. */
export async function canHaveSecondEngine(): Promise<boolean> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false
  return run('dockerd', ['--version']).then(
    () => true,
    () => false,
  )
}

export class SecondEngine implements AsyncDisposable {
  /** As in DOCKER_HOST. */
  readonly host: string
  /** Runs a command in the engine's network namespace: put it in front. */
  readonly under: readonly string[]
  readonly #folder: string
  readonly #namespace: string
  #daemon: ChildProcess | undefined

  private constructor(folder: string, namespace: string) {
    this.#folder = folder
    this.#namespace = namespace
    this.host = `unix://${join(folder, 'docker.sock')}`
    // Not `ip netns exec`: that hides the machine's control groups.
    this.under = ['nsenter', `--net=/run/netns/${namespace}`, '--']
  }

  /** Makes it and starts it. Owned by the caller. */
  static async open(): Promise<SecondEngine> {
    const engine = new SecondEngine(await mkdtemp(join(tmpdir(), 'mrg-engine-')), `moorage-engine-${process.pid}`)
    try {
      await run('ip', ['netns', 'add', engine.#namespace])
      await run('ip', ['-n', engine.#namespace, 'link', 'set', 'lo', 'up'])
      await engine.start()
      return engine
    } catch (error) {
      await engine[Symbol.asyncDispose]()
      throw error
    }
  }

  /** Starts the daemon; resolves when it answers. */
  async start(): Promise<void> {
    const at = (name: string) => join(this.#folder, name)
    // Of a daemon that was killed. The next one would take a process that nobody has collected for one that lives.
    await rm(join(at('exec'), 'containerd', 'containerd.pid'), { force: true })
    const log = openSync(at('log'), 'a')
    const folders = ['--data-root', at('data'), '--exec-root', at('exec'), '--pidfile', at('pid')]
    const args = [...folders, '--host', this.host, '--bridge', 'none']
    const daemon = spawn(this.under[0]!, [...this.under.slice(1), 'dockerd', ...args], { stdio: ['ignore', log, log] })
    closeSync(log)
    this.#daemon = daemon
    await until('the second engine answers', async () => {
      if (daemon.exitCode !== null || daemon.signalCode !== null) {
        throw new Error(`dockerd has ended:\n${(await readFile(at('log'), 'utf8')).slice(-2_000)}`)
      }
      return docker(['version'], this.host).then(
        () => true,
        () => false,
      )
    })
  }

  /** Ends the daemon, in order or not; resolves when it is gone. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const daemon = this.#daemon
    if (daemon?.exitCode !== null || daemon.signalCode !== null) return
    const gone = once(daemon, 'exit')
    // nsenter becomes what it runs.
    daemon.kill(signal)
    await gone
  }

  /** Copies an image of the machine's engine into this one. */
  async copyImage(name: string): Promise<void> {
    const save = spawn('docker', ['save', name], { stdio: ['ignore', 'pipe', 'inherit'] })
    const load = spawn('docker', ['--host', this.host, 'load'], { stdio: [save.stdout!, 'ignore', 'inherit'] })
    const [[saved], [loaded]] = await Promise.all([once(save, 'exit'), once(load, 'exit')])
    if (saved !== 0 || loaded !== 0) throw new Error(`${name} could not be copied.`)
  }

  /** What a server in the namespace answers to a POST, with its status. */
  async post(url: string, body = ''): Promise<{ status: number; text: string }> {
    const script = `fetch(process.argv[1], { method: 'POST', body: process.argv[2] || undefined }).then(async (answer) =>
      console.log(JSON.stringify({ status: answer.status, text: await answer.text() })))`
    const args = [...this.under.slice(1), process.execPath, '-e', script, url, body]
    const { stdout } = await run(this.under[0]!, args, { timeout: 60_000 })
    return JSON.parse(stdout)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end('SIGTERM')
    await this.#endRest()
    await run('ip', ['netns', 'delete', this.#namespace]).catch(() => undefined)
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 5 })
  }

  /** What a killed daemon has left: shims with their containers, known by our folder's name, and mounts. */
  async #endRest(): Promise<void> {
    for (const { pid } of await processesNaming(this.#folder)) {
      for (const one of [...(await below(pid)), { pid }]) {
        try {
          process.kill(one.pid, 'SIGKILL')
        } catch {
          // It has ended.
        }
      }
    }
    const mounts = (await readFile('/proc/self/mounts', 'utf8')).split('\n').map((line) => line.split(' ')[1] ?? '')
    const ours = mounts.filter((mount) => mount.startsWith(`${this.#folder}/`)).sort()
    for (const mount of ours.reverse()) await run('umount', ['--lazy', mount]).catch(() => undefined)
  }
}
