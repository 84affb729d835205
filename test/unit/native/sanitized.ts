/**
 * The agent as an ordinary process, built with gcc's address and undefined-behaviour sanitizers and MOORAGE_TEST, which takes
 * away what needs a container: RUN forks as it does there, but the app is the first process, not PID 1 of a namespace.
 */
import assert from 'node:assert/strict'
import { type ChildProcessByStdio, execFileSync, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { encodeClaim, FromAgent, OPENING_BYTES, ToAgent } from '../../../runtime/protocol/agent.ts'
import { Frames, readExactly } from '../../support/native.ts'

const SOURCE = fileURLToPath(new URL('../../../runtime/native/', import.meta.url))
const CACHE = fileURLToPath(new URL('../../../.cache/native/', import.meta.url))
const FLAGS = '-std=gnu11 -g -O1 -D_GNU_SOURCE -DMOORAGE_TEST -fno-omit-frame-pointer'.split(' ')
const SANITIZERS = ['-fsanitize=address,undefined', '-fno-sanitize-recover=all']

/** Builds the program, once per content of its sources. Returns its path. */
export function buildSanitized(): string {
  const files = readdirSync(SOURCE)
    .filter((name) => /\.[ch]$/.test(name))
    .sort()
  const hash = createHash('sha256').update(FLAGS.join(' '))
  for (const name of files) hash.update(readFileSync(join(SOURCE, name)))
  const program = join(CACHE, `sanitized-${hash.digest('hex').slice(0, 16)}`)
  if (existsSync(program)) return program
  mkdirSync(CACHE, { recursive: true })
  const unfinished = `${program}.${process.pid}`
  const sources = files.filter((name) => name.endsWith('.c')).map((name) => join(SOURCE, name))
  execFileSync('gcc', [...FLAGS, ...SANITIZERS, ...sources, '-o', unfinished])
  renameSync(unfinished, program)
  return program
}

/** An agent and the two ends that drive it: its stdin and its link. */
export class SanitizedAgent {
  readonly secret: Uint8Array
  readonly child: ChildProcessByStdio<Writable, Readable, Readable>
  readonly #server: Server
  readonly #reports: string
  #links: Socket[] = []
  #wake: (() => void)[] = []
  output = ''

  private constructor(server: Server, reports: string, child: ChildProcessByStdio<Writable, Readable, Readable>) {
    this.secret = Uint8Array.from({ length: 32 }, (_, i) => i + 1)
    this.#server = server
    this.#reports = reports
    this.child = child
    child.stdin.on('error', () => {})
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (this.output += chunk))
    server.on('connection', (socket) => {
      socket.pause()
      this.#links.push(socket)
      for (const wake of this.#wake.splice(0)) wake()
    })
  }

  /** Starts one that nobody has claimed. */
  static async start(): Promise<SanitizedAgent> {
    const server = createServer({ noDelay: true })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const reports = mkdtempSync(join(tmpdir(), 'moorage-sanitizer-'))
    const log = `log_path=${join(reports, 'report')}:abort_on_error=0:exitcode=99`
    const env = { ...process.env, ASAN_OPTIONS: `${log}:detect_leaks=0`, UBSAN_OPTIONS: `${log}:print_stacktrace=1` }
    return new SanitizedAgent(server, reports, spawn(buildSanitized(), [], { env, stdio: ['pipe', 'pipe', 'pipe'] }))
  }

  /** The first link, with the opening and HELLO read: claims the agent, and starts an app that sleeps if asked to. */
  static async linked(options: { run?: boolean } = {}): Promise<{ agent: SanitizedAgent; link: Frames }> {
    const agent = await SanitizedAgent.start()
    agent.claim()
    const { link } = await agent.link()
    if (options.run) {
      link.command(ToAgent.RUN, 0, { argv: ['sleep', '1000'] })
      await link.next(0, FromAgent.STARTED)
    }
    return { agent, link }
  }

  claim(): void {
    this.child.stdin.write(encodeClaim(this.secret, '127.0.0.1', (this.#server.address() as AddressInfo).port))
  }

  /** The next link that the agent opens: its opening is checked, its HELLO's byte returned. */
  async link(): Promise<{ link: Frames; hello: number }> {
    while (this.#links.length === 0) await new Promise<void>((resolve) => this.#wake.push(resolve))
    const socket = this.#links.shift()!
    const opening = await readExactly(socket, OPENING_BYTES)
    assert.equal(opening.toString('latin1', 0, 5), 'MRGA\u0001')
    assert.deepEqual(Uint8Array.from(opening.subarray(5)), this.secret)
    const link = new Frames(socket)
    socket.resume()
    return { link, hello: (await link.next(0, FromAgent.HELLO)).payload[0]! }
  }

  /** What the sanitizers said so far, '' if nothing. */
  reports(): string {
    return readdirSync(this.#reports)
      .map((name) => readFileSync(join(this.#reports, name), 'utf8'))
      .join('\n')
  }

  /** Ends it as a runtime's death does, and fails if a sanitizer had anything to say. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.child.stdin.end()
    // Where a sanitizer has ended the agent, nobody ends the app.
    const late = setTimeout(() => this.child.kill('SIGKILL'), 5000)
    if (this.child.exitCode === null && this.child.signalCode === null) await once(this.child, 'exit')
    clearTimeout(late)
    this.#server.close()
    for (const socket of this.#links) socket.destroy()
    const reports = this.reports()
    rmSync(this.#reports, { recursive: true })
    assert.equal(reports, '')
  }
}
