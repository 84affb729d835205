import { Readable, Writable } from 'node:stream'
import { Latch } from '../base/latch.ts'
import { type Command, CommandFlag, type Counts, Stream } from '../protocol/agent.ts'
import { WINDOW_BYTES } from '../protocol/frames.ts'
import { SendWindow } from './send-window.ts'

/** The agent could not start a process: its errno and step (protocol/agent.ts). */
export class SpawnError extends Error {
  override readonly name = 'SpawnError'
  readonly errno: number
  readonly step: number
  constructor(errno: number, step: number) {
    super(`The process was not started (errno ${errno}, step ${step}).`)
    this.errno = errno
    this.step = step
  }
}

/** How a process ended: 128 + n where signal n ended it. */
export interface ProcessExit {
  readonly exitCode: number
  readonly signal: number | undefined
}

/** What a process needs of the agent's link. */
export interface ProcessWire {
  data(bytes: Uint8Array): void
  eof(): void
  credit(stream: number, bytes: number): void
  signal(signal: number): void
  resize(cols: number, rows: number): void
  /** Kill it and its descendants. */
  end(): void
  /** Nobody reads an output any more: who writes to it is told. */
  hangUp(stream: number): void
  /** EXIT and every end of output arrived, or nothing more is wanted of it. */
  done(): void
}

const GRANT_BYTES = WINDOW_BYTES / 4
/** What may wait for the agent's grant, beside what is granted. */
const INPUT_BYTES = 262_144
/** More pieces than this that go at once are small, and copied into one. */
const PIECES = 64

/**
 * One process that the agent started, as streams. An unread stream stops its writer and nothing else; destroying one throws
 * away what comes. A link that is lost and opened again leaves the process as it is.
 */
export class LinkedProcess {
  readonly stdin: Writable | undefined
  readonly stdout: Output | undefined
  readonly stderr: Output | undefined
  /** The pid inside the container. Rejects with SpawnError, or where the container ended. */
  readonly started: Promise<number>
  /** Settles when the process ends, whether or not its output was read. Rejects where the container ended first. */
  readonly exit: Promise<ProcessExit>
  /** Resolves when it has ended and so has all its output, or it will never be heard of again. */
  readonly over: Promise<void>
  readonly #started = new Latch<number>()
  readonly #over = new Latch()
  readonly #exit = new Latch<ProcessExit>()
  readonly #wire: ProcessWire
  readonly #input: Input | undefined

  constructor(wire: ProcessWire, command: Pick<Command, 'flags'>) {
    this.#wire = wire
    const has = (flag: number): boolean => (command.flags & flag) !== 0
    const pty = has(CommandFlag.PTY)
    this.#input = pty || has(CommandFlag.STDIN) ? new Input(wire) : undefined
    this.stdin = this.#input
    const output = (stream: number): Output =>
      new Output({ grant: (n) => wire.credit(stream, n), hangUp: () => wire.hangUp(stream) })
    this.stdout = has(CommandFlag.NO_STDOUT) ? undefined : output(Stream.STDOUT)
    const apart = !pty && !has(CommandFlag.COMBINED) && !has(CommandFlag.NO_STDERR)
    this.stderr = apart ? output(Stream.STDERR) : undefined
    this.started = this.#started.promise
    this.exit = this.#exit.promise
    this.over = this.#over.promise
  }

  get isStarted(): boolean {
    return this.#started.settled
  }

  /** Sends a signal, 1..64; nothing where it has ended. */
  kill(signal: number): void {
    if (!this.#exit.settled) this.#wire.signal(signal)
  }

  /** Kills it, and all that it started and that stayed in its session; also those that outlived it and have its output. */
  endAll(): void {
    if (!this.#over.settled) this.#wire.end()
  }

  /** Changes the size of its terminal. */
  resize(cols: number, rows: number): void {
    if (!this.#exit.settled) this.#wire.resize(cols, rows)
  }

  onStarted(pid: number): void {
    this.#started.resolve(pid)
  }

  onFailed(errno: number, step: number): void {
    this.onGone(new SpawnError(errno, step))
  }

  onData(stream: number, bytes: Buffer): void {
    this.#output(stream)?.received(bytes)
  }

  onEof(stream: number): void {
    this.#output(stream)?.ended()
    this.#settle()
  }

  onCredit(bytes: number): void {
    this.#input?.granted(bytes)
  }

  onExit(exitCode: number, signal: number): void {
    this.#exit.resolve({ exitCode, signal: signal === 0 ? undefined : signal })
    this.#input?.destroy()
    this.#settle()
  }

  /** The link was lost: nothing goes until it is back. */
  onUnlinked(): void {
    this.#input?.stop()
  }

  /** The link was opened again. What was under way is gone: a process that missed some of it is ended, rather than wrong. */
  onCounts(counts: Counts): void {
    const lost = [
      this.#input !== undefined && !counts.stdinOver && this.#input.sentBytes !== counts.stdin && 'stdin',
      this.stdout?.misses(counts.stdout) === true && 'stdout',
      this.stderr?.misses(counts.stderr) === true && 'stderr',
    ].filter((name) => name !== false)
    if (lost.length > 0) {
      const what = lost.join(' and ')
      this.#wire.end()
      this.#wire.done()
      this.onGone(
        new Error(`The link to the container broke and bytes of ${what} were lost with it: the process was ended.`),
      )
      return
    }
    this.stdout?.renew()
    this.stderr?.renew()
    this.#input?.renew(counts.stdinOver)
  }

  /** It will never be heard of again. */
  onGone(error: Error): void {
    this.#started.reject(error)
    this.#exit.reject(error)
    for (const stream of [this.stdout, this.stderr, this.#input]) {
      stream?.on('error', () => undefined)
      stream?.destroy(error)
    }
    this.#over.resolve()
  }

  #output(stream: number): Output | undefined {
    return stream === Stream.STDOUT ? this.stdout : this.stderr
  }

  #settle(): void {
    if (!this.#exit.settled || this.stdout?.over === false || this.stderr?.over === false) return
    this.#wire.done()
    this.#over.resolve()
  }
}

/** What a process writes. `tap` sees every piece as it comes, also what nobody reads. */
export class Output extends Readable {
  readonly #wire: { readonly grant: (bytes: number) => void; readonly hangUp: () => void }
  readonly #taps = new Set<(bytes: Buffer) => void>()
  #mayCome = WINDOW_BYTES
  #ungranted = 0
  #receivedBytes = 0
  #over = false
  #hungUp = false

  constructor(wire: { readonly grant: (bytes: number) => void; readonly hangUp: () => void }) {
    super({ highWaterMark: WINDOW_BYTES })
    this.#wire = wire
  }

  /** The process closed it. */
  get over(): boolean {
    return this.#over
  }

  /** Sees each piece from now on; the function returned ends it. */
  tap(listener: (bytes: Buffer) => void): () => void {
    this.#taps.add(listener)
    return () => this.#taps.delete(listener)
  }

  /** Whether some of so many bytes that were sent did not come, and somebody may want them. */
  misses(sentBytes: number): boolean {
    return !this.destroyed && this.#receivedBytes !== sentBytes
  }

  received(bytes: Buffer): void {
    this.#mayCome -= bytes.length
    this.#receivedBytes += bytes.length
    // More than it may: the container does not keep to the wire, and gets no more.
    if (this.#over || this.#mayCome < 0) return
    for (const tap of this.#taps) tap(bytes)
    this.#ungranted += bytes.length
    if (this.destroyed || this.push(bytes)) this.#give()
  }

  ended(): void {
    if (this.#over) return
    this.#over = true
    if (!this.destroyed) this.push(null)
  }

  /** Nobody will read it: unlike one that was only destroyed, whose bytes are thrown away, it is closed for who writes to it. */
  hangUp(): void {
    this.destroy()
    if (this.#over || this.#hungUp) return
    this.#hungUp = true
    this.#wire.hangUp()
  }

  renew(): void {
    this.#mayCome = WINDOW_BYTES
    this.#ungranted = 0
    if (this.#hungUp && !this.#over) this.#wire.hangUp()
  }

  override _read(): void {
    this.#give()
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#give(true)
    done(error)
  }

  #give(all = false): void {
    if (this.#over || this.#ungranted === 0 || (!all && this.#ungranted < GRANT_BYTES)) return
    this.#wire.grant(this.#ungranted)
    this.#mayCome += this.#ungranted
    this.#ungranted = 0
  }
}

/** What goes to a process's stdin; ended, the process reads its end. */
class Input extends Writable {
  readonly #wire: Pick<ProcessWire, 'eof'>
  readonly #window: SendWindow
  #sentBytes = 0

  constructor(wire: Pick<ProcessWire, 'data' | 'eof'>) {
    super({ highWaterMark: INPUT_BYTES })
    this.#wire = wire
    this.#window = new SendWindow((bytes) => {
      this.#sentBytes += bytes.length
      wire.data(bytes)
    })
    this.on('error', () => undefined)
  }

  granted(bytes: number): void {
    this.#window.granted(bytes)
  }

  /** Bytes that went to the agent, over all links. */
  get sentBytes(): number {
    return this.#sentBytes
  }

  stop(): void {
    this.#window.stop()
  }

  /** @param over whether the agent has heard of the end, or needs not. */
  renew(over: boolean): void {
    this.granted(WINDOW_BYTES)
    if (this.writableFinished && !over) this.#wire.eof()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#window.write(chunk, done)
  }

  /** What came at once goes at once: the link makes few frames of it. */
  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    const came = chunks.map(({ chunk }) => chunk)
    const pieces = came.length > PIECES ? [Buffer.concat(came)] : came
    let next = 0
    const go = (error?: Error | null): void => {
      const piece = pieces[next++]
      if (error || piece === undefined) done(error)
      else this.#window.write(piece, go)
    }
    go()
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#wire.eof()
    done()
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#window.drop()?.(new Error('The process has ended.'))
    done(error)
  }
}
