import { Latch } from '../base/latch.ts'
import type { ExecOptions } from '../front.ts'
import type { ProcessModel } from '../protocol/model.ts'
import type { OutputPart } from '../protocol/relay.ts'
import {
  CHANNEL_WINDOW_BYTES,
  type ShareCalls,
  type ShareNews,
  type SharePiece,
  type ShareTaken,
} from '../protocol/share.ts'

/** What was taken is told once it is so much. */
const TOLD_BYTES = CHANNEL_WINDOW_BYTES / 8

type ProcessEnd = NonNullable<ProcessModel['end']>

/** What comes by a channel's number. */
interface Channel {
  output(stream: OutputPart['stream'], bytes: Uint8Array, lostBytes: number): void
  note?(text: string): void
  ended?(end: ProcessEnd): void
}

/** By which number comes what one who joined has asked for. */
export class Channels {
  readonly #channels = new Map<number, Channel>()
  readonly #tell: (taken: ShareTaken) => void
  #last = 0

  constructor(tell: (taken: ShareTaken) => void) {
    this.#tell = tell
  }

  /** A number that was not used before. */
  next(): number {
    this.#last += 1
    return this.#last
  }

  /** Where a process's output is followed. */
  follow(onOutput: Channel['output']): number {
    const number = this.next()
    this.#channels.set(number, { output: onOutput })
    return number
  }

  /** Where a process is heard until its end; what is taken of its output is told. */
  process({ onOutput, onNote }: Pick<ExecOptions, 'onOutput' | 'onNote'>): {
    channel: number
    ended: Promise<ProcessEnd>
  } {
    const ended = new Latch<ProcessEnd>()
    const channel = this.next()
    let untold = 0
    this.#channels.set(channel, {
      output: async (stream, bytes) => {
        await onOutput(stream, bytes)
        untold += bytes.length
        if (untold < TOLD_BYTES) return
        this.#tell({ news: 'taken', channel, size: untold })
        untold = 0
      },
      note: onNote,
      ended: (end) => {
        this.close(channel)
        ended.resolve(end)
      },
    })
    return { channel, ended: ended.promise }
  }

  close(channel: number): void {
    this.#channels.delete(channel)
  }

  hear(news: Extract<ShareNews, { readonly channel: number }>): void {
    const channel = this.#channels.get(news.channel)
    if (news.news === 'output') channel?.output(news.stream, news.bytes, news.lostBytes ?? 0)
    else if (news.news === 'note') channel?.note?.(news.text)
    else channel?.ended?.(news.end)
  }

  /** Nothing comes any more. */
  lost(end: ProcessEnd): void {
    for (const channel of [...this.#channels.values()]) channel.ended?.(end)
  }
}

/** Kept output, from its bytes and how long each piece is. */
export function cut({ head, lostBytes, tail, bytes }: ReturnType<ShareCalls['outputOfProcess']>) {
  let at = 0
  const parts = (pieces: readonly SharePiece[]): OutputPart[] =>
    pieces.map(({ stream, size }) => {
      at += size
      return { stream, bytes: bytes.subarray(at - size, at) }
    })
  return { head: parts(head), lostBytes, tail: parts(tail) }
}
