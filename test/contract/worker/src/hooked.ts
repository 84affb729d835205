import { Container } from '@cloudflare/containers'
import { hooks } from './sentences/hooks.ts'
import { tell, until } from './tell.ts'

/** One thing that a hook saw. */
export interface Moment {
  hook: string
  at: number
  [detail: string]: unknown
}

/** A class that extends Container, with every hook; what they saw is kept in its storage. */
export class Hooked extends Container {
  override defaultPort = 8080
  /** What onStart does beside noting that it ran. */
  doOnStart: (() => Promise<Record<string, unknown>>) | undefined
  /** false: onActivityExpired leaves the container as it is. */
  stopsWhenExpired = true

  abort(): void {
    this.ctx.abort('the contract wants it')
  }

  get raw(): globalThis.Container {
    if (!this.ctx.container) throw new Error('there is no ctx.container')
    return this.ctx.container
  }

  override async onStart(): Promise<void> {
    const running = this.raw.running
    this.note('onStart', { running, ...(await this.doOnStart?.()) })
  }

  override onStop(params: { exitCode: number; reason: string }): void {
    this.note('onStop', { ...params, running: this.raw.running })
  }

  override onError(error: unknown): void {
    this.note('onError', { error: tell(error) })
  }

  override async onActivityExpired(): Promise<void> {
    this.note('onActivityExpired', {})
    if (this.stopsWhenExpired) await super.onActivityExpired()
  }

  /** Called by schedule(). */
  async scheduled(payload: unknown): Promise<void> {
    this.note('scheduled', { payload, running: this.raw.running })
  }

  note(hook: string, detail: Record<string, unknown>): void {
    this.ctx.storage.kv.put('moments', [...this.moments(), { hook, at: Date.now(), ...detail }])
  }

  moments(): Moment[] {
    return this.ctx.storage.kv.get<Moment[]>('moments') ?? []
  }

  /** Waits until a hook has run; the moment it noted. */
  async seen(hook: string): Promise<Moment> {
    let found: Moment | undefined
    await until(`${hook} has run`, () => {
      found = this.moments().find((moment) => moment.hook === hook)
      return found !== undefined
    })
    return found as Moment
  }

  /** Runs one sentence and gives JSON of `{value}` or `{error}`. */
  async run(_topic: string, name: string, args: Record<string, string>, options: { keep: boolean }): Promise<string> {
    try {
      const sentence = hooks[name]
      if (!sentence) throw new Error(`no sentence hooks.${name}`)
      return JSON.stringify({ value: (await sentence(this, args)) ?? null })
    } catch (error) {
      return JSON.stringify({ error: tell(error) })
    } finally {
      if (!options.keep) await this.raw.destroy()
    }
  }
}
