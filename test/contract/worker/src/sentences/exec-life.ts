import type { PlainObject } from '../plain.ts'
import { idle, lines, made, others, run, running, text } from '../run.ts'
import { outcome, pending, tell } from '../tell.ts'
import type { Sentences } from './index.ts'

/** Processes that outlive the request that started them. */
const kept = new WeakMap<PlainObject, { process: ExecProcess; lines: ReturnType<typeof lines> }>()

const encoder = new TextEncoder()

export const execLife: Sentences = {
  /** Every promise of a process settles when its container is destroyed. */
  async destroyed(o) {
    idle(o)
    const start = () => o.container.exec(['sh', '-c', 'echo ready; sleep 1000'], { stdin: 'pipe' })
    const [one, two] = await Promise.all([start(), start()])
    const heard = lines(one.stdout)
    await heard.next()
    const writer = (one.stdin as WritableStream).getWriter()
    writer.closed.catch(() => {})
    const ends = [
      one.exitCode.then(String, tell),
      heard.next().then((line) => line ?? 'end', tell),
      two.output().then(() => 'resolved', tell),
    ]
    await o.container.destroy('the contract wants it')
    const told = await Promise.all(ends)
    const after = await outcome(() => o.container.exec(['true']))
    return { told, again: await outcome(() => one.exitCode), kill: await outcome(() => one.kill()), after }
  },

  async agentKilled(o) {
    idle(o)
    const process = await o.container.exec(['sleep', '1000'], { stdin: 'pipe' })
    const ends = [() => process.exitCode, () => process.output()].map((ask) => outcome(ask))
    const killer = await outcome(async () => (await o.container.exec(['sh', '-c', 'kill -9 -1'])).exitCode)
    return { ends: [...(await Promise.all(ends)), killer], running: o.container.running }
  },

  async rootEnds(o) {
    idle(o)
    const process = await o.container.exec(['sleep', '1000'])
    o.container.signal(9)
    return outcome(() => process.exitCode)
  },

  /** Nobody looks at the exit code: that is no unhandled rejection. */
  async nobodyLooks(o) {
    idle(o)
    const process = await o.container.exec(['sleep', '1000'])
    void process.exitCode
    await o.container.destroy()
    return 'fine'
  },

  async transaction(o) {
    await running(o)
    return o.state.storage.transaction(async () => {
      const process = await o.container.exec(['cat'], { stdin: 'pipe' })
      const writer = (process.stdin as WritableStream).getWriter()
      await writer.write(encoder.encode('in a transaction\n'))
      const heard = lines(process.stdout)
      const line = await heard.next()
      await writer.close()
      const killed = await o.container.exec(['sleep', '1000'])
      killed.kill(9)
      const fed = await run(o, ['cat'], { stdin: made('fed') })
      return [line, await process.exitCode, await killed.exitCode, fed.stdout]
    })
  },

  /** A start and a block in one turn: the block must find what was asked before it. */
  async startThenBlock(o) {
    idle(o)
    await o.container.destroy()
    o.container.start()
    return o.state.blockConcurrencyWhile(async () => (await run(o, ['echo', 'in the block'])).stdout)
  },

  async startThenTransaction(o) {
    idle(o)
    await o.container.destroy()
    o.container.start()
    return o.state.storage.transaction(async () => (await run(o, ['echo', 'in the transaction'])).stdout)
  },

  /** Asked just before a block, and not waited for: what the block asks comes after it. */
  async execThenBlock(o) {
    await running(o)
    const before = o.container.exec(['sh', '-c', 'echo before > /tmp/before'])
    before.catch(() => {})
    const seen = await o.state.blockConcurrencyWhile(async () => {
      const script = 'until [ -s /tmp/before ]; do sleep 0.01; done; cat /tmp/before'
      return (await run(o, ['sh', '-c', script])).stdout
    })
    return [seen, await (await before).exitCode]
  },

  async killThenBlock(o) {
    await running(o)
    const process = await o.container.exec(['sleep', '1000'])
    process.kill(9)
    return o.state.blockConcurrencyWhile(() => process.exitCode)
  },

  /** Started outside a block, looked at inside of it. */
  async startedBefore(o) {
    await running(o)
    const process = await o.container.exec(['sh', '-c', 'read line; echo "got $line"'], { stdin: 'pipe' })
    return o.state.blockConcurrencyWhile(async () => {
      const writer = (process.stdin as WritableStream).getWriter()
      await writer.write(encoder.encode('hello\n'))
      return [await text(process.stdout), await process.exitCode]
    })
  },

  /** Started in a block that is over. */
  async startedInside(o) {
    await running(o)
    const process = await o.state.blockConcurrencyWhile(() => o.container.exec(['cat'], { stdin: 'pipe' }))
    const writer = (process.stdin as WritableStream).getWriter()
    await writer.write(encoder.encode('hello'))
    await writer.close()
    return [await text(process.stdout), await process.exitCode]
  },

  async start(o) {
    idle(o)
    const process = await o.container.exec(['cat'], { stdin: 'pipe' })
    kept.set(o, { process, lines: lines(process.stdout) })
  },

  async startUnread(o) {
    idle(o)
    const process = await o.container.exec(['sh', '-c', 'sleep 1000 & sleep 1000'])
    kept.set(o, { process, lines: lines(process.stdout) })
    return o.instance
  },

  async goOn(o, { word }) {
    const { process, lines: heard } = kept.get(o) as { process: ExecProcess; lines: ReturnType<typeof lines> }
    const writer = (process.stdin as WritableStream).getWriter()
    await writer.write(encoder.encode(`${word}\n`))
    writer.releaseLock()
    return heard.next()
  },

  async finish(o) {
    const { process, lines: heard } = kept.get(o) as { process: ExecProcess; lines: ReturnType<typeof lines> }
    await (process.stdin as WritableStream).close()
    return [(await heard.next()) ?? 'end', await process.exitCode]
  },

  instance: (o) => o.instance,
  others: (o) => others(o),

  async backToBack(o) {
    idle(o)
    const process = await o.container.exec(['sh', '-c', 'while :; do sleep 0.01; done'])
    const waits = await pending(process.exitCode)
    process.kill(2)
    return [waits, await process.exitCode]
  },
}
