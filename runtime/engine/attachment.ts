/** A container's stdin and output over one hijacked connection. */
import { type Duplex, Writable } from 'node:stream'
import { Demultiplexer, type OutputStream } from './demultiplex.ts'

export interface Attachment {
  /** To the container's stdin, with back-pressure. Ending it ends the whole attachment, as an engine takes a half-closed one for closed; with StdinOnce the container's stdin ends. */
  readonly stdin: Writable
  /** Resolves when the connection has ended, however it ended; `error` where it was not the container's end. Never rejects. */
  readonly closed: Promise<{ readonly error?: Error }>
  /** Stops reading until `resume`: the container stops at its full pipe. */
  pause(): void
  resume(): void
  /** Ends the connection, and with StdinOnce the container's stdin. */
  dispose(): void
}

/** Owns `socket`. `output` owns the bytes it is given. */
export function attachTo(socket: Duplex, output: (stream: OutputStream, bytes: Buffer) => void): Attachment {
  const frames = new Demultiplexer(output)
  const closed = new Promise<{ error?: Error }>((resolve) => {
    let failed: Error | undefined
    socket.on('error', (error) => {
      failed = error
    })
    socket.on('end', () => socket.destroy())
    socket.on('close', () => resolve(failed ? { error: failed } : {}))
  })
  socket.on('data', (chunk: Buffer) => {
    try {
      frames.push(chunk)
    } catch (error) {
      socket.destroy(error as Error)
    }
  })
  const stdin = new Writable({
    decodeStrings: true,
    write: (chunk: Buffer, _encoding, done) => {
      if (socket.destroyed) done(new Error('The attachment has ended.'))
      else socket.write(chunk, done)
    },
    final: (done) => {
      socket.destroy()
      done()
    },
  })
  // A write that fails is told to its writer; the end of the attachment is told by `closed`.
  stdin.on('error', () => {})
  socket.on('close', () => stdin.destroy())
  return {
    stdin,
    closed,
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    dispose: () => void socket.destroy(),
  }
}
