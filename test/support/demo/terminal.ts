/** How the demo looks on a terminal: a time, who speaks, what it says; and a tick for what was really seen. */
import { ms, type Told } from './tell.ts'

/** Colours of who speaks, as SGR codes. */
const COLOURS: Readonly<Record<Told['who'] | 'request', number>> = {
  engine: 34,
  image: 34,
  worker: 35,
  container: 33,
  log: 90,
  hook: 36,
  advice: 31,
  request: 32,
}

/** Longer lines are cut, so that each stays one line. */
const WIDTH = 130

/** Writes the demo. Times are since it was made. */
export class Terminal {
  /** How many promises were seen kept. */
  kept = 0
  readonly #out: NodeJS.WriteStream
  readonly #colours: boolean
  readonly #began = performance.now()

  constructor(out: NodeJS.WriteStream = process.stdout, env: NodeJS.ProcessEnv = process.env) {
    this.#out = out
    this.#colours = out.isTTY === true && !env.NO_COLOR
  }

  /** Milliseconds since it began. */
  get elapsedMs(): number {
    return performance.now() - this.#began
  }

  heading(text: string): void {
    this.#out.write(`\n${this.#paint(1, text)}\n`)
  }

  /** Something that happens. */
  line(who: Told['who'] | 'request', what: string): void {
    const text = [...what.replace(/\s+/g, ' ').trim()]
    const short = text.length > WIDTH ? `${text.slice(0, WIDTH - 1).join('')}…` : text.join('')
    this.#write(' ', `${this.#paint(COLOURS[who], who.padEnd(9))}  ${who === 'log' ? this.#paint(90, short) : short}`)
  }

  /** Something that was promised and has been seen. */
  seen(what: string): void {
    this.kept++
    this.#write(this.#paint(32, '✓'), this.#paint(1, what))
  }

  text(text: string): void {
    this.#out.write(`${text}\n`)
  }

  #write(mark: string, text: string): void {
    this.#out.write(`${this.#paint(90, ms(this.elapsedMs).padStart(8))} ${mark} ${text}\n`)
  }

  #paint(code: number, text: string): string {
    return this.#colours ? `\u001b[${code}m${text}\u001b[0m` : text
  }
}
