/**
 * A stand-in for the internet, from which no packet leaves the machine: a network namespace behind a pair of interfaces, with
 * an echo server for TCP and UDP in it. The host routes to it, as it does to the internet. Linux and root only.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** TEST-NET-2 (RFC 5737): nobody's addresses. */
const HOST = '198.51.100.1'
const OUTSIDE = '198.51.100.2'

export interface Outside extends AsyncDisposable {
  readonly address: string
  /** TCP and UDP; each answer is `echo: ` and what was said. */
  readonly port: number
  /** Where nobody listens. */
  readonly closedPort: number
}

const SERVER = `
  const net = require('node:net'), dgram = require('node:dgram')
  net.createServer({ allowHalfOpen: true }, (s) => {
    let said = ''
    s.on('data', (d) => (said += d)).on('error', () => {}).on('end', () => s.end('echo: ' + said))
  }).listen(7000, () => {
    const u = dgram.createSocket('udp4')
    u.on('message', (m, from) => u.send('echo: ' + m, from.port, from.address))
    u.bind(7000, () => console.log('ready'))
  })`

/** Whether a stand-in can be made here. */
export function canStandIn(): boolean {
  return process.platform === 'linux' && process.getuid?.() === 0
}

/** Removes those of processes that were killed: two with the same addresses cannot be told apart. */
async function removeLeft(): Promise<void> {
  const { stdout } = await run('ip', ['netns', 'list'])
  for (const [name, pid] of stdout.matchAll(/^moorage-(\d+)/gm)) {
    if (await readFile(`/proc/${pid}/stat`).catch(() => undefined)) continue
    await run('ip', ['link', 'delete', `mrg${pid}a`]).catch(() => undefined)
    await run('ip', ['netns', 'delete', name]).catch(() => undefined)
  }
}

/** Makes it. Owned by the caller. */
export async function standIn(): Promise<Outside> {
  await removeLeft()
  const name = `moorage-${process.pid}`
  const [here, there] = [`mrg${process.pid}a`, `mrg${process.pid}b`]
  const ip = (...args: string[]) => run('ip', args)
  let server: ChildProcess | undefined
  const remove = async (): Promise<void> => {
    if (server?.exitCode === null) {
      server.kill('SIGKILL')
      await once(server, 'exit')
    }
    await ip('link', 'delete', here).catch(() => undefined)
    await ip('netns', 'delete', name).catch(() => undefined)
  }
  try {
    await ip('netns', 'add', name)
    await ip('link', 'add', here, 'type', 'veth', 'peer', 'name', there)
    await ip('link', 'set', there, 'netns', name)
    await ip('address', 'add', `${HOST}/30`, 'dev', here)
    await ip('link', 'set', here, 'up')
    await ip('-n', name, 'address', 'add', `${OUTSIDE}/30`, 'dev', there)
    await ip('-n', name, 'link', 'set', there, 'up')
    await ip('-n', name, 'link', 'set', 'lo', 'up')
    server = spawn('ip', ['netns', 'exec', name, process.execPath, '-e', SERVER], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await once(server.stdout!, 'data')
    return { address: OUTSIDE, port: 7000, closedPort: 7001, [Symbol.asyncDispose]: remove }
  } catch (error) {
    await remove()
    throw error
  }
}
