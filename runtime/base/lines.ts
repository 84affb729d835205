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
    this.#rest = lines.pop() ?? ''
    while (this.#rest.length > this.#maxChars) {
      lines.push(this.#rest.slice(0, this.#maxChars))
      this.#rest = this.#rest.slice(this.#maxChars)
    }
    return lines.map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line))
  }

  /** Returns what is left of an unfinished line, or undefined. */
  end(): string | undefined {
    const rest = this.#rest + this.#decoder.decode()
    this.#rest = ''
    return rest === '' ? undefined : rest
  }
}
