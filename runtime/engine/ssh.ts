/** An engine behind SSH: `ssh host docker system dial-stdio`, as the docker command does, so keys, agents and known hosts are the user's own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { Duplex } from 'node:stream'
import type { Address } from './address.ts'

type SshAddress = Extract<Address, { protocol: 'ssh' }>

/** The arguments of `ssh` for an address. BatchMode: nobody is there to answer a question. */
export function sshArguments(address: SshAddress): string[] {
  return [
    '-T',
    ...['-o', 'BatchMode=yes', '-o', 'ConnectTimeout=30'],
    ...(address.username ? ['-l', address.username] : []),
    ...(address.port ? ['-p', String(address.port)] : []),
    '--',
    address.host,
    'docker',
    ...(address.socketPath ? ['--host', `unix://${address.socketPath}`] : []),
    'system',
    'dial-stdio',
  ]
}

/** A process's stdin and stdout as the socket that node:http wants. Owns the process: destroying one ends the other. */
export class ProcessSocket extends Duplex {
  private readonly child: ChildProcess

  constructor(command: string, args: readonly string[]) {
    super({ allowHalfOpen: true })
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], windowsHide: true })
    this.child = child
    let complaint = ''
    child.stdout.on('data', (bytes: Buffer) => {
      if (!this.push(bytes)) child.stdout.pause()
    })
    child.stderr.on('data', (bytes: Buffer) => {
      complaint = (complaint + bytes.toString()).slice(-2000)
    })
    child.stdin.on('error', (error) => this.destroy(error))
    child.on('error', (error) => this.destroy(error))
    child.on('close', (code) => {
      if (code === 0) this.push(null)
      else
        this.destroy(
          Object.assign(new Error(`${command}: ${complaint.trim() || `exit code ${code}`}`), { code: 'ESSH' }),
        )
    })
  }

  override _read(): void {
    this.child.stdout?.resume()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.child.stdin?.write(chunk, done)
  }

  override _final(done: (error?: Error | null) => void): void {
    this.child.stdin?.end()
    done()
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.child.kill()
    done(error)
  }

  // What node:http's agent calls on a socket and a process has no use for.
  setKeepAlive(): this {
    return this
  }
  setNoDelay(): this {
    return this
  }
  setTimeout(): this {
    return this
  }
  ref(): this {
    this.child.ref()
    return this
  }
  unref(): this {
    this.child.unref()
    return this
  }
}
