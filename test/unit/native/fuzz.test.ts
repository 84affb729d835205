import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { describe, it } from 'node:test'
import { CommandFlag, encodeCommand, Fact, FromAgent, ToAgent } from '../../../runtime/protocol/agent.ts'
import { encodeFrame, MAX_PAYLOAD_BYTES } from '../../../runtime/protocol/frames.ts'
import { type Frames, u16, u32 } from '../../support/native.ts'
import { SanitizedAgent } from './sanitized.ts'

const SEED = 20261124
const FRAMES = 20_000
/** After so many frames the agent must still answer. */
const BATCH = 100

/** mulberry32: the same numbers in every run. */
function numbers(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) % below
  }
}

/** Frames that are right, nearly right, and not at all. */
class Fuzzer {
  /** A frame's length was wrong: what follows is read as part of it, or as nonsense. */
  lied = false
  readonly #below: (below: number) => number
  readonly #port: number

  constructor(seed: number, port: number) {
    this.#below = numbers(seed)
    this.#port = port
  }

  next(): Uint8Array {
    const types = Object.values(ToAgent)
    const type = this.#below(20) === 0 ? this.#below(256) : types[this.#below(types.length)]!
    let id = this.#below(50) === 0 ? 0 : 1 + this.#below(12)
    if (type === ToAgent.SIGNAL && id === 0) id = 1 // the app is to live
    let payload = type !== ToAgent.SIGNAL && this.#below(4) === 0 ? this.#bytes(this.#below(64)) : this.#right(type)
    if (type !== ToAgent.SIGNAL && this.#below(3) === 0) payload = this.#spoilt(payload)
    const frame = encodeFrame(type, id, payload.subarray(0, MAX_PAYLOAD_BYTES))
    if (this.#below(200) === 0) {
      frame[this.#below(4)]! ^= 1 << this.#below(8)
      this.lied = true
    }
    return frame
  }

  #bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.#below(256))
  }

  #right(type: number): Uint8Array {
    switch (type) {
      case ToAgent.RUN:
      case ToAgent.SPAWN:
      case ToAgent.PART:
        return this.#command()
      case ToAgent.DATA:
        return this.#bytes(this.#below(2) === 0 ? this.#below(10) : this.#below(5000))
      case ToAgent.CREDIT:
        return Uint8Array.of(this.#below(4), ...u32(this.#below(2 ** 32)))
      case ToAgent.SIGNAL:
        return Uint8Array.of(this.#signal())
      case ToAgent.RESIZE:
        return Uint8Array.of(...u16(this.#below(65536)), ...u16(this.#below(65536)))
      case ToAgent.DIAL:
        return u16(this.#port)
      case ToAgent.HANG_UP:
        return Uint8Array.of(this.#below(4))
      case ToAgent.ASK:
        return Uint8Array.of(this.#below(5))
      default:
        return new Uint8Array(0)
    }
  }

  /** None that stops: nobody would let the process go on. */
  #signal(): number {
    const signal = this.#below(70)
    return signal >= 19 && signal <= 22 ? 9 : signal
  }

  #command(): Uint8Array {
    const argvs = [
      ['true'],
      ['cat'],
      ['head', '-c', '200000', '/dev/zero'],
      ['no-such-program'],
      ['/etc'],
      ['sh', '-c', 'cat; exit 3'],
    ]
    const users = ['', 'root', '0', '0:0', 'nobody', ':', 'no:one', '65534:65534', '4294967296']
    return encodeCommand({
      argv: argvs[this.#below(argvs.length)]!,
      env: this.#below(2) === 0 ? {} : { PATH: ['/bin:/usr/bin', '', ':', '/'.repeat(5000)][this.#below(4)]! },
      cwd: ['', '/', '/no/such', 'usr'][this.#below(4)]!,
      user: users[this.#below(users.length)]!,
      flags: this.#below(2 * CommandFlag.PTY),
      cols: this.#below(300),
      rows: this.#below(100),
    })
  }

  #spoilt(bytes: Uint8Array): Uint8Array {
    const cut = bytes.slice(0, this.#below(bytes.length + 1))
    const spoilt = this.#below(2) === 0 ? cut : bytes.slice()
    for (let i = this.#below(4); i > 0 && spoilt.length > 0; i--) spoilt[this.#below(spoilt.length)] = this.#below(256)
    return spoilt
  }
}

/** Resolves when the agent has answered, or has ended a link that was fed nonsense. */
async function answered(link: Frames, id: number): Promise<boolean> {
  link.send(ToAgent.ASK, id, [Fact.STATUS])
  return await link.next(id, FromAgent.FACT).then(
    () => true,
    (error) => {
      if (link.socket.destroyed || link.socket.readableEnded) return false
      throw error
    },
  )
}

describe('the agent', () => {
  it(`outlives ${FRAMES} frames of nonsense (seed ${SEED})`, async () => {
    const { agent, link: first } = await SanitizedAgent.linked({ run: true })
    await using _ = agent
    const server = createServer((socket) => {
      socket.on('error', () => {})
      socket.pipe(socket)
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const fuzzer = new Fuzzer(SEED, (server.address() as AddressInfo).port)
    let link = first
    for (let sent = 0; sent < FRAMES; sent += BATCH) {
      for (let i = 0; i < BATCH; i++) link.socket.write(fuzzer.next())
      // After a lie only a new link starts clean.
      if (fuzzer.lied) link.socket.end()
      fuzzer.lied = false
      if (!(await answered(link, 1_000_000 + sent))) link = (await agent.link()).link
      assert.equal(agent.reports(), '')
    }
    server.close()
  })
})
