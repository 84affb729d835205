/** The session of this window: none, or one. */
import * as vscode from 'vscode'
import type { Session } from '../../runtime/index.ts'
import { MoorageError } from '../../runtime/protocol/errors.ts'
import type { SessionModel } from '../../runtime/protocol/model.ts'
import { contextKeys, type SettingName, type StateKey } from '../contributes.ts'
import { logEvent } from './log.ts'

/** Starts and stops the session, one at a time. */
export class Running {
  readonly #dist: string
  readonly #log: vscode.LogOutputChannel
  readonly #onModel: (model: SessionModel | undefined) => void
  readonly #onFailed: (error: Error) => void
  #session: Session | undefined
  #starting: { readonly stop: AbortController; readonly done: Promise<void> } | undefined

  /**
   * @param options.dist the folder with the built files
   * @param options.onModel hears each new state of the session, and undefined when there is none any more
   * @param options.onFailed hears why a session cannot go on; it is still to be stopped
   */
  constructor(options: {
    readonly dist: string
    readonly log: vscode.LogOutputChannel
    readonly onModel: (model: SessionModel | undefined) => void
    readonly onFailed: (error: Error) => void
  }) {
    this.#dist = options.dist
    this.#log = options.log
    this.#onModel = options.onModel
    this.#onFailed = options.onFailed
    this.#tell('stopped')
  }

  /** The session that runs, if one does. */
  get session(): Session | undefined {
    return this.#session
  }

  /**
   * Starts a session of these configs. One that runs or is being started is left alone, and waited for.
   * @throws what startSession rejects with
   */
  async start(configs: readonly string[]): Promise<void> {
    if (this.#session !== undefined) return
    if (this.#starting === undefined) {
      const stop = new AbortController()
      this.#starting = { stop, done: this.#open(configs, stop.signal).finally(() => (this.#starting = undefined)) }
    }
    await this.#starting.done
  }

  /** Ends the session, or its start. Resolves when nothing is left of it. */
  async stop(): Promise<void> {
    this.#starting?.stop.abort()
    await this.#starting?.done.catch(() => undefined)
    const session = this.#session
    this.#session = undefined
    await session?.dispose()
    this.#onModel(undefined)
    this.#tell('stopped')
  }

  async #open(configs: readonly string[], signal: AbortSignal): Promise<void> {
    this.#tell('starting')
    try {
      // Loaded only now: a window that runs nothing does not pay for it.
      const { startSession } = await import('../../runtime/index.ts')
      const session = await startSession({
        ...this.#options(),
        config: configs,
        signal,
        onEvent: (event, model) => {
          logEvent(this.#log, event)
          this.#onModel(model)
        },
        onNotice: (text) => this.#log.info(text),
      })
      if (signal.aborted) return await session.dispose()
      this.#session = session
      this.#onModel(session.model)
      this.#tell('running')
      void session.failed.then((error) => this.#onFailed(error))
    } catch (error) {
      this.#onModel(undefined)
      this.#tell('stopped')
      throw error
    }
  }

  #options() {
    const settings = vscode.workspace.getConfiguration('moorage')
    const text = (name: SettingName) => settings.get<string>(name) || undefined
    const [env, engine, node] = [text('env'), text('engine'), text('node')]
    return {
      dist: this.#dist,
      port: settings.get<number>('port') ?? 0,
      limits: settings.get<boolean>('limits') ?? true,
      buildArgs: settings.get<Record<string, string>>('buildArgs') ?? {},
      ...(env === undefined ? {} : { env }),
      ...(engine === undefined ? {} : { engine }),
      ...(node === undefined ? {} : { node }),
    }
  }

  #tell(state: StateKey): void {
    void vscode.commands.executeCommand('setContext', contextKeys.state, state)
  }
}

/** What a person reads about an error: a sentence, and what to do. */
export function errorText(error: unknown): string {
  if (error instanceof MoorageError) return [error.message, ...error.advice].join(' ')
  return error instanceof Error ? error.message : String(error)
}
