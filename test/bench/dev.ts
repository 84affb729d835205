/** How fast `moorage dev` is ready and takes up new code, against wrangler's own dev server on the same project. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { copyProject, type Project } from '../support/project.ts'
import { root } from '../support/root.mjs'
import type { Measured } from './bounds.ts'
import { interleave } from './interleave.ts'

const PATIENCE_MS = 60_000

/** A dev server on a copy of examples/quotes, as a person would start it. */
export class DevServer implements AsyncDisposable {
  readonly url: string
  /** From its start until it said that it is ready, in ms. */
  readonly readyMs: number
  readonly child: ChildProcess
  readonly folder: string

  constructor(url: string, readyMs: number, child: ChildProcess, folder: string) {
    this.url = url
    this.readyMs = readyMs
    this.child = child
    this.folder = folder
  }

  static async start(folder: string, args: readonly string[]): Promise<DevServer> {
    const start = performance.now()
    const child = spawn(process.execPath, args, {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
      env: { ...process.env, CI: '1', WRANGLER_SEND_METRICS: 'false', NO_COLOR: '1' },
    })
    let output = ''
    const url = await new Promise<string>((resolve, reject) => {
      const hear = (bytes: Buffer) => {
        output += bytes.toString()
        const ready = /Ready on (http:\/\/\S+)/.exec(output)?.[1]
        if (ready !== undefined) resolve(ready)
      }
      child.stdout?.on('data', hear)
      child.stderr?.on('data', hear)
      child.on('exit', () => reject(new Error(`The dev server ended: ${output.slice(-500)}`)))
      setTimeout(() => reject(new Error(`The dev server was not ready: ${output.slice(-500)}`)), PATIENCE_MS).unref()
    })
    return new DevServer(url.replace('localhost', '127.0.0.1'), performance.now() - start, child, folder)
  }

  /** Saves a file of the Worker with another word in it, and waits until that is answered; in ms. */
  async reload(): Promise<number> {
    const file = join(this.folder, 'src', 'index.ts')
    const word = `Quotes ${Math.random().toString(36).slice(2)}`
    const text = (await readFile(file, 'utf8')).replace(/const usage = `.*/, `const usage = \`${word}`)
    const start = performance.now()
    await writeFile(file, text)
    for (;;) {
      const answer = await fetch(this.url).then(
        (response) => response.text(),
        () => '',
      )
      if (answer.startsWith(word)) return performance.now() - start
      if (performance.now() - start > PATIENCE_MS) throw new Error('The new code was never answered.')
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode !== null || this.child.pid === undefined) return
    const exited = once(this.child, 'exit')
    this.child.kill('SIGTERM')
    await exited
    // wrangler's own server leaves its child behind when it is ended by a signal.
    try {
      process.kill(-this.child.pid, 'SIGKILL')
    } catch {
      // Nothing of its group is left.
    }
  }
}

/** Two copies of examples/quotes: containers are switched off in the one for wrangler. */
export class DevProjects implements AsyncDisposable {
  readonly #ours: Project
  readonly #theirs: Project

  private constructor(ours: Project, theirs: Project) {
    this.#ours = ours
    this.#theirs = theirs
  }

  /** @param sleepAfter set over that of the class, where containers are to live longer. */
  static async copy(sleepAfter?: string): Promise<DevProjects> {
    const quotes = join('examples', 'quotes')
    const [ours, theirs] = await Promise.all([copyProject(quotes), copyProject(quotes)])
    if (sleepAfter !== undefined) {
      const worker = join(ours.folder, 'src', 'index.ts')
      await writeFile(
        worker,
        (await readFile(worker, 'utf8')).replace(/sleepAfter = '.*'/, `sleepAfter = '${sleepAfter}'`),
      )
    }
    const config = join(theirs.folder, 'wrangler.jsonc')
    const text = await readFile(config, 'utf8')
    await writeFile(config, text.replace('{', '{\n  "dev": { "enable_containers": false },'))
    return new DevProjects(ours, theirs)
  }

  /** The copy that is ours. */
  get folder(): string {
    return this.#ours.folder
  }

  ours = (): Promise<DevServer> => {
    const base = process.env.MOORAGE_TEST_BASE
    const args = ['dev', '--port', '0', ...(base === undefined ? [] : ['--build-arg', `BASE=${base}`])]
    return DevServer.start(this.#ours.folder, [join(root, 'dist', 'cli.js'), ...args])
  }

  theirs = (): Promise<DevServer> => {
    const wrangler = join(root, 'node_modules', 'wrangler', 'bin', 'wrangler.js')
    const args = ['dev', '--port', '0', '--inspector-port', '0', '--show-interactive-dev-session', 'false']
    return DevServer.start(this.#theirs.folder, [wrangler, ...args])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#ours[Symbol.asyncDispose](), this.#theirs[Symbol.asyncDispose]()])
  }
}

const ready = (start: () => Promise<DevServer>) => async () => {
  await using server = await start()
  return server.readyMs
}

/** The first round, which does not count, builds the image. */
export async function devReady(): Promise<Measured> {
  await using projects = await DevProjects.copy()
  return await interleave(7, 1, ready(projects.ours), ready(projects.theirs))
}

export async function devReload(): Promise<Measured> {
  await using projects = await DevProjects.copy()
  await using ours = await projects.ours()
  await using theirs = await projects.theirs()
  return await interleave(
    11,
    2,
    () => ours.reload(),
    () => theirs.reload(),
  )
}
