/** A folder of the window, and its session: none, one of ours, or one that runs elsewhere and was joined. */
import type * as vscode from 'vscode'
import type { ObjectKey, ObjectModel, Session, SessionEvent, SessionModel } from '../../runtime/index.ts'
import { isMoorageError } from '../errors.ts'
import { chooseConfigs, findConfigs } from './configs.ts'
import { options } from './options.ts'

/** What a folder is at. `failed` is a start that did not succeed, or a session that cannot go on. */
export type FolderState =
  | { readonly state: 'stopped' }
  | { readonly state: 'starting' }
  | { readonly state: 'running'; readonly session: Session }
  | { readonly state: 'failed'; readonly error: Error }

/** Starts and ends the session of a folder, one at a time. Owned by Folders. */
export class Folder {
  readonly uri: vscode.Uri
  readonly name: string
  readonly #dist: string
  readonly #tell: () => void
  readonly #onEvent: (event: SessionEvent, model: SessionModel) => void
  readonly #onNotice: (text: string) => void
  #state: FolderState = { state: 'stopped' }
  #model: SessionModel | undefined
  /** The start whose events make the model: a session that ends goes on telling, and is shown no more. */
  #shown: AbortSignal | undefined
  #configs: readonly vscode.Uri[] = []
  #starting: { readonly stop: AbortController; readonly done: Promise<void> } | undefined

  /**
   * @param events.changed after every change of `state`, `model` or `configs`
   * @param events.event each event of the session, from the first one on
   * @param events.notice what is done on this machine beside the session
   */
  constructor(
    { uri, name }: Pick<vscode.WorkspaceFolder, 'uri' | 'name'>,
    dist: string,
    events: {
      changed(): void
      event(event: SessionEvent, model: SessionModel): void
      notice(text: string): void
    },
  ) {
    this.uri = uri
    this.name = name
    this.#dist = dist
    this.#tell = () => events.changed()
    this.#onEvent = (event, model) => events.event(event, model)
    this.#onNotice = (text) => events.notice(text)
  }

  get state(): FolderState {
    return this.#state
  }

  get session(): Session | undefined {
    return this.#state.state === 'running' ? this.#state.session : undefined
  }

  /** What its session knows, from the first event of the start on. */
  get model(): SessionModel | undefined {
    return this.#model
  }

  /** Its wrangler configs. */
  get configs(): readonly vscode.Uri[] {
    return this.#configs
  }

  object(key: ObjectKey): ObjectModel | undefined {
    return this.#model?.objects.find((object) => object.key === key)
  }

  /** Looks for its configs. */
  async look(): Promise<void> {
    this.#configs = await findConfigs(this.uri)
    this.#tell()
  }

  /**
   * Starts a session, or joins the one that runs elsewhere. One that runs or is being started is left alone, and waited for.
   * @throws what startSession rejects with; `state` is `failed` then
   */
  async start(): Promise<void> {
    if (this.#state.state === 'running') return
    if (this.#starting === undefined) {
      const stop = new AbortController()
      this.#starting = { stop, done: this.#open(stop.signal).finally(() => (this.#starting = undefined)) }
    }
    await this.#starting.done
  }

  /** Ends the session, or its start; one that was joined goes on elsewhere. Resolves when nothing of ours is left. */
  async stop(): Promise<void> {
    this.#starting?.stop.abort()
    await this.#starting?.done.catch(() => undefined)
    await this.#end({ state: 'stopped' })
  }

  async #end(next: FolderState): Promise<void> {
    const { session } = this
    this.#state = next
    this.#shown = undefined
    this.#model = undefined
    this.#tell()
    await session?.dispose()
  }

  async #open(signal: AbortSignal): Promise<void> {
    const configs = await chooseConfigs(this.#configs)
    if (configs === undefined) return
    this.#become({ state: 'starting' })
    try {
      const session = await this.#session(configs, signal)
      if (signal.aborted) return await session.dispose()
      this.#model = session.model
      this.#become({ state: 'running', session })
      void session.failed.then((error) => {
        if (this.session === session) void this.#end({ state: 'failed', error }).catch(() => undefined)
      })
    } catch (error) {
      this.#shown = undefined
      this.#model = undefined
      if (signal.aborted) return this.#become({ state: 'stopped' })
      this.#become({ state: 'failed', error: error instanceof Error ? error : new Error(String(error)) })
      throw error
    }
  }

  async #session(config: readonly string[], signal: AbortSignal): Promise<Session> {
    // Loaded only now: a window that runs nothing does not pay for it.
    const { joinSession, startSession } = await import('../../runtime/index.ts')
    this.#shown = signal
    const onEvent = (event: SessionEvent, model: SessionModel): void => {
      if (this.#shown === signal) this.#model = model
      this.#onEvent(event, model)
      this.#tell()
    }
    try {
      return await startSession({
        ...options(this.uri),
        dist: this.#dist,
        config,
        signal,
        onEvent,
        onNotice: this.#onNotice,
      })
    } catch (error) {
      const folder = isMoorageError(error) && error.code === 'session-exists' ? error.detail.folder : undefined
      if (typeof folder !== 'string') throw error
      // It runs in a terminal, or in another window: it is shown here as well, and goes on when this window closes.
      return joinSession(folder, { onEvent, signal })
    }
  }

  #become(state: FolderState): void {
    this.#state = state
    this.#tell()
  }
}
