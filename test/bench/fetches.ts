/** How fast a container answers, against the same server on loopback. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { root } from '../support/root.mjs'
import type { Measured } from './bounds.ts'
import { interleave } from './interleave.ts'
import type { BenchSession } from './running.ts'

const MB = 1_000_000

/** The server of the Node image, on a free port of loopback. */
class Loopback implements AsyncDisposable {
  readonly url: string
  readonly #child: ChildProcess

  private constructor(url: string, child: ChildProcess) {
    this.url = url
    this.#child = child
  }

  static async serve(): Promise<Loopback> {
    const server = join(root, 'test', 'bench', 'worker', 'container', 'server.mjs')
    const child = spawn(process.execPath, [server, '0', '127.0.0.1'], { stdio: ['ignore', 'pipe', 'inherit'] })
    const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
    return new Loopback(`http://127.0.0.1:${line.replace('port ', '')}`, child)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill()
    await once(this.#child, 'exit')
  }
}

/** `count` bodies a round; the mean time of one. */
async function bodies(
  bench: BenchSession,
  bytes: number,
  count: number,
  rounds: number,
  warmUp: number,
): Promise<Measured> {
  await using loopback = await Loopback.serve()
  const name = bench.newName()
  await bench.ask('Node', name, 'start')
  const take = (query: Record<string, string>) => async () => {
    const asked = { count: String(count), bytes: String(bytes), ...query }
    return (await bench.ask<{ tookMs: number }>('Node', name, 'bodies', asked)).tookMs / count
  }
  const measured = await interleave(rounds, warmUp, take({}), take({ loopback: loopback.url }))
  await bench.ask('Node', name, 'destroy')
  return measured
}

export const fetchSmall = (bench: BenchSession): Promise<Measured> => bodies(bench, 1024, 100, 21, 3)
export const fetchLarge = (bench: BenchSession): Promise<Measured> => bodies(bench, 100 * MB, 1, 9, 1)
