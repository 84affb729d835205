/** One engine's API: every answer checked, every path with the version that both sides speak. */
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { z } from 'zod'
import { check } from './answers.ts'
import { isGone } from './errors.ts'
import type { Call, CallOptions, Transport } from './transport.ts'

export class Calls {
  private readonly transport: Transport
  private readonly prefix: string

  /** `version` as speakVersion says. The transport stays its owner's. */
  constructor(transport: Transport, version: string) {
    this.transport = transport
    this.prefix = `/v${version}`
  }

  /** The engine's address for people. */
  get name(): string {
    return this.transport.name
  }

  /** Asks for a value. */
  async ask<T extends z.ZodType>(schema: T, call: Call): Promise<z.output<T>> {
    return check(schema, await this.transport.json(this.versioned(call)), call.doing)
  }

  /** Asks for a thing that may not be there: undefined then. */
  async find<T extends z.ZodType>(schema: T, call: Call): Promise<z.output<T> | undefined> {
    try {
      return await this.ask(schema, call)
    } catch (error) {
      if (isGone(error)) return undefined
      throw error
    }
  }

  /** Has something done; what the engine answers does not matter. */
  async act(call: Call): Promise<void> {
    await this.transport.text(this.versioned(call))
  }

  /** Removes a thing; already gone is fine. */
  async drop(path: string, doing: string, options: CallOptions & { readonly query?: Call['query'] }): Promise<void> {
    const { query = {}, signal } = options
    try {
      await this.act({ method: 'DELETE', path, query, doing, signal })
    } catch (error) {
      if (!isGone(error)) throw error
    }
  }

  /** For an answer that is read as it comes; its stream is the caller's. */
  send(call: Call): Promise<IncomingMessage> {
    return this.transport.send(this.versioned(call))
  }

  /** For a connection of its own, which is the caller's. */
  upgrade(call: Call): Promise<Duplex> {
    return this.transport.upgrade(this.versioned(call))
  }

  private versioned(call: Call): Call {
    return { ...call, path: this.prefix + call.path }
  }
}
