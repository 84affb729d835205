/** Whose code an error is about: wrangler and workerd name the bundle and the generated entry, the developer knows neither. */
import { dirname } from 'node:path'
import { type Places, TheirWords } from './ours.ts'
import { describe } from './problems.ts'
import { type Bundle, traceSource, traceText } from './trace.ts'

/** Leads errors and stacks of one project's Worker to the developer's files. */
export class Blame {
  readonly #folder: string
  readonly #words: TheirWords
  /** The last build, whether or not it could be loaded; its files are there as long as wrangler's worker is. */
  bundle: Bundle | undefined

  constructor(places: Places) {
    this.#folder = dirname(places.config)
    this.#words = new TheirWords(places)
  }

  /** What is wrong, in words that name only the developer's own files. Never rejects. */
  async inWords(error: unknown): Promise<string> {
    const text = describe(error)
    const isOurs = (file: string): boolean => this.#words.isOurs(file)
    const traced = this.bundle && traceText(text, this.bundle, this.#folder, isOurs)
    return this.#words.of((await traced?.catch(() => undefined)) ?? text)
  }

  /** The first line of the developer's code in a stack, where it can be told. Never rejects. */
  async source(stack: string): Promise<string | undefined> {
    return this.bundle && traceSource(stack, this.bundle, this.#folder).catch(() => undefined)
  }
}
