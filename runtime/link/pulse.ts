/** How often an agent is looked at on which something waits. */
const BEAT_MS = 5_000
/** An agent answers in milliseconds, in a container with hardly any processor time in seconds. */
const BEATS = 3

/** What is looked at. */
export interface Pulsing {
  readonly isUp: boolean
  /** Whether something waits for the agent, or may come from it at any time. */
  readonly waits: boolean
  /** Grows with all that comes from the agent. */
  readonly heard: number
  /** Asks for any answer. */
  poke(): void
}

/**
 * Notices an agent that does not answer although its link is up: something in the container has stopped it (SIGSTOP), or the
 * engine the whole container. Counts looks, not time: a machine that slept is not the agent's silence.
 */
export class Pulse {
  readonly #timer: NodeJS.Timeout
  #poked = false
  #heard = 0
  #missed = 0

  /** @param onSilent is told at each look from the third unanswered one on. */
  constructor(link: Pulsing, onSilent: () => void) {
    this.#timer = setInterval(() => {
      this.#missed = this.#poked && link.isUp && link.heard === this.#heard ? this.#missed + 1 : 0
      this.#heard = link.heard
      this.#poked = link.isUp && link.waits
      if (this.#poked) link.poke()
      if (this.#missed >= BEATS) onSilent()
    }, BEAT_MS).unref()
  }

  close(): void {
    clearInterval(this.#timer)
  }
}
