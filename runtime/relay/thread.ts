/** The session's handle of the relay thread. */
import { Worker } from 'node:worker_threads'
import type { RelayCalls, RelayNews, SessionCalls } from '../protocol/relay.ts'
import { type Asked, joinCalls, type Offered } from './calls.ts'

export type { Offered } from './calls.ts'

export interface RelayThread {
  /** Calls into the relay. They reject once the thread has ended. */
  readonly ask: Asked<RelayCalls>
  /** Ends the thread; everything that it holds open is closed, and so every container that it claimed ends. */
  close(): Promise<void>
}

/**
 * Starts the relay thread from its built file. `offered` answers its questions, `onNews` hears its news; `onDeath` is told
 * when it ends without close().
 */
export function startRelay(options: {
  file: string
  offered: Offered<SessionCalls>
  onNews: (news: RelayNews) => void
  onDeath: (error: Error) => void
}): RelayThread {
  const worker = new Worker(options.file, { name: 'moorage-relay' })
  const calls = joinCalls<RelayCalls, SessionCalls>(worker, options.offered, (news) =>
    options.onNews(news as RelayNews),
  )
  let closing = false
  let failure: Error | undefined
  worker.on('error', (error) => {
    failure = error
  })
  worker.on('exit', () => {
    if (closing) return
    const error = failure ?? new Error('The relay has ended.')
    calls.fail(error)
    options.onDeath(error)
  })
  return {
    ask: calls.ask,
    close: async () => {
      closing = true
      calls.fail(new Error('The session has ended.'))
      await worker.terminate()
    },
  }
}
