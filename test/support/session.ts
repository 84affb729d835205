/** Sessions on copies of projects, for tests: what happens in them is kept, can be waited for, and is compared as text. */
import { join } from 'node:path'
import {
  type ObjectKey,
  type Session,
  type SessionEvent,
  type SessionOptions,
  startSession,
} from '../../runtime/index.ts'
import { copyProject, type Project } from './project.ts'
import { root } from './root.mjs'

/** How long anything may take before a test says what it was waiting for, in ms. */
const PATIENCE_MS = 30_000

/** The base image of fixtures: the machine's own where it was made, else the public one that their Dockerfiles name. */
export const BUILD_ARGS: Readonly<Record<string, string>> = process.env.MOORAGE_TEST_BASE
  ? { BASE: process.env.MOORAGE_TEST_BASE }
  : {}

/** Copies one of test/fixtures/projects/. */
export function copyFixture(name: string): Promise<Project> {
  return copyProject(join('test', 'fixtures', 'projects', name))
}

/** Events of a session, from the first one on. */
export class Events {
  readonly all: SessionEvent[] = []
  readonly #wake = new Set<() => void>()

  add(event: SessionEvent): void {
    this.all.push(event)
    for (const wake of this.#wake) wake()
  }

  /** The place after the last event: what comes from now on begins there. */
  get now(): number {
    return this.all.length
  }

  /**
   * The first event at `from` or later for which `pick` returns something; resolves with that.
   * @throws Error that says `what` where none comes in time
   */
  async next<T>(
    what: string,
    pick: (event: SessionEvent) => T | undefined | false,
    from = 0,
    timeoutMs = PATIENCE_MS,
  ): Promise<T> {
    const until = Date.now() + timeoutMs
    for (let at = from; ; at++) {
      while (at >= this.all.length) await this.#more(what, until)
      const picked = pick(this.all[at]!)
      if (picked !== undefined && picked !== false) return picked
    }
  }

  /** The lines that a container of the object wrote, in order. */
  log(object?: ObjectKey): string[] {
    return this.all.flatMap((event) =>
      event.type === 'container-log' && (object === undefined || event.object === object) ? [event.text] : [],
    )
  }

  #more(what: string, until: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => {
          this.#wake.delete(wake)
          reject(new Error(`Waited for ${what}. The last events were:\n${this.all.slice(-12).map(line).join('\n')}`))
        },
        Math.max(0, until - Date.now()),
      )
      const wake = (): void => {
        clearTimeout(timer)
        this.#wake.delete(wake)
        resolve()
      }
      this.#wake.add(wake)
    })
  }
}

function line(event: SessionEvent): string {
  return JSON.stringify(event).slice(0, 400)
}

/** Waits until a condition holds. @throws Error that says `what` where it does not in time */
export async function until(
  what: string,
  holds: () => Promise<boolean> | boolean,
  timeoutMs = PATIENCE_MS,
): Promise<void> {
  const deadline = Date.now() + timeoutMs
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`Waited until ${what}.`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** A session on a copy of a project. Disposing it ends the session and removes the copy. */
export class Running implements AsyncDisposable {
  readonly session: Session
  readonly events: Events
  readonly folder: string
  readonly #project: Project | undefined

  constructor(session: Session, events: Events, folder: string, project?: Project) {
    this.session = session
    this.events = events
    this.folder = folder
    this.#project = project
  }

  /** Absolute path of a file of the copy. */
  file(...parts: string[]): string {
    return join(this.folder, ...parts)
  }

  /** A request of the Worker, of the first config or another. */
  async fetch(path: string, init?: RequestInit, worker = 0): Promise<Response> {
    return fetch(new URL(path, this.session.urls[worker]), init)
  }

  async text(path: string, init?: RequestInit, worker = 0): Promise<string> {
    const answer = await this.fetch(path, init, worker)
    const text = await answer.text()
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${text.slice(0, 500)}`)
    return text
  }

  /** An object of the fixture `box` and its like. */
  box(name: string, className = 'Box'): Box {
    return new Box(this, className, name)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.session.dispose()
    await this.#project?.[Symbol.asyncDispose]()
  }
}

/** What a test wants of a session beside the project. */
export interface RunOptions extends Omit<SessionOptions, 'onEvent'> {
  /** Hears of the events before the session has started. */
  readonly events?: Events
}

/** Starts a session on a folder that the caller owns. */
export async function runIn(folder: string, options: RunOptions = {}): Promise<Running> {
  const { events = new Events(), ...rest } = options
  const session = await startSession({
    config: folder,
    port: 0,
    dist: join(root, 'dist'),
    buildArgs: BUILD_ARGS,
    ...rest,
    onEvent: (event) => events.add(event),
  })
  return new Running(session, events, folder)
}

/** Starts a session on a fresh copy of a fixture. `change` may edit the copy before. */
export async function run(
  name: string,
  options: RunOptions = {},
  change: (folder: string) => Promise<void> = async () => {},
): Promise<Running> {
  const project = await copyFixture(name)
  try {
    await change(project.folder)
    const { session, events } = await runIn(project.folder, options)
    return new Running(session, events, project.folder, project)
  } catch (error) {
    await project[Symbol.asyncDispose]()
    throw error
  }
}

/** How a life ended, as the object's monitor() told it. */
export interface Ended {
  readonly ended: { readonly exitCode?: number; readonly message?: string; readonly cause?: string }
}

/** An object of a Worker that speaks as the fixture `box` does. */
export class Box {
  readonly #running: Running
  readonly #path: string
  readonly #className: string
  readonly #name: string

  constructor(running: Running, className: string, name: string) {
    this.#running = running
    this.#className = className
    this.#name = name
    this.#path = `/${className}/${encodeURIComponent(name)}`
  }

  /** Runs a verb of the Worker and gives its JSON, or its text where it is none. */
  // biome-ignore lint/suspicious/noExplicitAny: each verb has its own shape, which the test states by comparing it
  async do(verb: string, body?: unknown): Promise<any> {
    const init = body === undefined ? { method: 'POST' } : { method: 'POST', body: JSON.stringify(body) }
    const text = await this.#running.text(`${this.#path}/${verb}`, init)
    return text === '' ? undefined : /^[[{"\d]|^(true|false|null)$/.test(text) ? JSON.parse(text) : text
  }

  /** Starts it; resolves when it answers on 8080, or has ended. */
  start(options: object = {}): Promise<{ answers: true } | Ended> {
    return this.do('start', options)
  }

  /** What its container answers to a path, as JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: as above
  async ask(path: string, port = 8080): Promise<any> {
    return JSON.parse(await this.#running.text(`${this.#path}/port/${port}/${path}`))
  }

  /** Its key in the session's model. @throws Error where it was not seen */
  get key(): ObjectKey {
    const { objects } = this.#running.session.model
    const found = objects.find((o) => o.className === this.#className && o.name === this.#name)
    if (!found) throw new Error(`No object ${this.#className}/${this.#name} was seen.`)
    return found.key
  }

  /** The state of its container in the session's model. */
  get container() {
    return this.#running.session.model.objects.find((o) => o.key === this.key)!.container
  }

  /** The engine's id of its running container. */
  get containerId(): string {
    const { container } = this
    if (container.state !== 'running') throw new Error(`${this.#name} does not run: ${JSON.stringify(container)}`)
    return container.containerId
  }

  /** The end of its container, at `from` or later in the events. */
  end(from = 0): Promise<import('../../runtime/index.ts').End> {
    return this.#running.events.next(
      `the end of ${this.#name}`,
      (event) =>
        event.type === 'container' && event.object === this.key && 'end' in event.container && event.container.end,
      from,
    )
  }
}
