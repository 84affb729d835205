import { IDLE } from '../plain.ts'
import { outcome, until } from '../tell.ts'
import type { Sentences } from './index.ts'

/** 9 and 19 cannot be caught, 17 comes by itself when a child ends, and libc keeps 32 and 33 for itself. */
export const CATCHABLE = Array.from({ length: 64 }, (_, i) => i + 1).filter((n) => ![9, 17, 19, 32, 33].includes(n))

/** PID 1 notes each signal in a file, which a server beside it shows. */
const NOTES_SIGNALS = [
  'sh',
  '-c',
  `for n in ${CATCHABLE.join(' ')}; do trap "echo $n >> /tmp/signals" $n; done
   : > /tmp/signals
   node /srv/probe.mjs &
   while :; do sleep 1000 & wait $!; done`,
]

export const signal: Sentences = {
  outOfRange: (o, { number }) => outcome(() => o.container.signal(Number(number))),

  outOfRangeWhileRunning(o, { number }) {
    o.container.start({ entrypoint: IDLE })
    return outcome(() => o.container.signal(Number(number)))
  },

  notRunning: (o) => outcome(() => o.container.signal(15)),

  async afterTheEnd(o) {
    o.container.start({ entrypoint: ['sh', '-c', 'exit 0'] })
    await o.container.monitor()
    return outcome(() => o.container.signal(15))
  },

  async returnsNothing(o) {
    await o.boot()
    return outcome(() => o.container.signal(18))
  },

  async term(o) {
    await o.boot({ entrypoint: ['node', '/srv/probe.mjs', '--term-code', '0'] })
    o.container.signal(15)
    return { monitor: await outcome(() => o.container.monitor()), running: o.container.running }
  },

  async termWithCode(o) {
    await o.boot({ entrypoint: ['node', '/srv/probe.mjs', '--term-code', '43'] })
    o.container.signal(15)
    return outcome(() => o.container.monitor())
  },

  async coerces(o) {
    await o.boot({ entrypoint: ['node', '/srv/probe.mjs', '--term-code', '44'] })
    o.container.signal('15' as unknown as number)
    return outcome(() => o.container.monitor())
  },

  async kill(o) {
    await o.boot({ entrypoint: ['node', '/srv/probe.mjs', '--ignore-term'] })
    o.container.signal(9)
    return outcome(() => o.container.monitor())
  },

  /** Sent in the same turn as start(): it must not overtake it, and not be lost. */
  async rightAfterStart(o) {
    o.container.start({ entrypoint: IDLE })
    o.container.signal(9)
    return outcome(() => o.container.monitor())
  },

  /** PID 1 has no handler: the kernel drops the signal, the container runs on. */
  async withoutHandler(o) {
    await o.boot({ entrypoint: ['sh', '-c', 'node /srv/probe.mjs & wait; sleep 1000'] })
    o.container.signal(15)
    await o.get('health')
    return o.container.running
  },

  /** Those that did not arrive. CONT goes last: a stop signal that is sent meanwhile takes it back (signal(7)). */
  async all(o) {
    await o.boot({ entrypoint: NOTES_SIGNALS })
    const missing = new Set(CATCHABLE)
    for (const batch of [CATCHABLE.filter((n) => n !== 18), [18]]) {
      for (const n of batch) o.container.signal(n)
      await until('all signals arrived', async () => {
        const { text } = (await (await o.get('read?path=/tmp/signals')).json()) as { text: string }
        for (const line of text.split('\n').filter(Boolean)) missing.delete(Number(line))
        return batch.every((n) => !missing.has(n))
      }).catch(() => {})
    }
    return [...missing]
  },

  /** Stopped by STOP it does not answer; CONT lets it go on. */
  async stopAndContinue(o) {
    await o.boot()
    o.container.signal(19)
    await until('it no longer answers', async () => {
      const answer = o.container
        .getTcpPort(8080)
        .fetch('http://container/health', { signal: AbortSignal.timeout(300) })
        .then(() => false)
        .catch(() => true)
      return answer
    })
    o.container.signal(18)
    await o.ready()
    return o.container.running
  },
}
