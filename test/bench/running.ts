/** A session on a copy of test/bench/worker. */
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { type Session, startSession } from '../../runtime/index.ts'
import { copyProject, type Project } from '../support/project.ts'
import { root } from '../support/root.mjs'

/** How long a class's next warm container is waited for, in ms. */
const WARM_MS = 10_000

export class BenchSession implements AsyncDisposable {
  readonly session: Session
  readonly #project: Project

  private constructor(session: Session, project: Project) {
    this.session = session
    this.#project = project
  }

  static async open(): Promise<BenchSession> {
    const project = await copyProject(join('test', 'bench', 'worker'))
    try {
      const base = process.env.MOORAGE_TEST_BASE
      const session = await startSession({
        config: join(project.folder, 'wrangler.jsonc'),
        dist: join(root, 'dist'),
        logLevel: 'error',
        ...(base === undefined ? {} : { buildArgs: { BASE: base } }),
      })
      return new BenchSession(session, project)
    } catch (error) {
      await project[Symbol.asyncDispose]()
      throw error
    }
  }

  /** What a method of an object gives. */
  async ask<T>(
    className: 'Small' | 'Node',
    name: string,
    method: string,
    query: Record<string, string> = {},
  ): Promise<T> {
    const url = new URL(`/${className}/${name}/${method}?${new URLSearchParams(query)}`, this.session.urls[0])
    const response = await fetch(url, { method: 'POST' })
    const text = await response.text()
    if (!response.ok) throw new Error(`${url.pathname}: ${response.status} ${text.slice(0, 300)}`)
    return JSON.parse(text) as T
  }

  /** The engine's image of a class, once it is ready. */
  async image(className: string): Promise<string> {
    for (;;) {
      const image = this.session.model.classes.find((one) => one.className === className)?.image
      if (image?.state === 'ready') return image.image
      if (image?.state === 'failed') throw new Error(image.message)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }

  /** Waits until the next start finds a warm container: the engine has been quiet for a while. */
  async warm(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, Math.min(WARM_MS, 900)))
  }

  newName(): string {
    return randomUUID()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.session.dispose()
    await this.#project[Symbol.asyncDispose]()
  }
}
