/** Cuts a stream of text bytes into lines, each at most `maxChars` long; a longer one comes in parts. */
export class LineCutter {
  readonly #decoder = new TextDecoder()
  readonly #maxChars: number
  #rest = ''

  constructor(maxChars = 16_384) {
    this.#maxChars = maxChars
  }

  /** Takes the next bytes and returns the lines that are now whole, without their line ends. */
  push(chunk: Uint8Array): string[] {
    const text = this.#rest + this.#decoder.decode(chunk, { stream: true })
    const lines = text.split('\n')
    const rest = lines.pop() ?? ''
    const whole = lines.flatMap((line) => this.#parts(line.endsWith('\r') ? line.slice(0, -1) : line))
    const parts = this.#parts(rest)
    this.#rest = parts.pop() ?? ''
    return [...whole, ...parts]
  }

  /** Returns what is left of an unfinished line, or undefined. */
  end(): string | undefined {
    const rest = this.#rest + this.#decoder.decode()
    this.#rest = ''
    return rest === '' ? undefined : rest
  }

  /** A line as it is, or in parts where it is too long. */
  #parts(line: string): string[] {
    const count = Math.max(1, Math.ceil(line.length / this.#maxChars))
    return Array.from({ length: count }, (_, i) => line.slice(i * this.#maxChars, (i + 1) * this.#maxChars))
  }
}
