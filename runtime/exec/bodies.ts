/** A body of HTTP on its way into a process: what comes at once is handed on at once, however many pieces it comes in. */
import type { IncomingMessage } from 'node:http'
import { finished } from 'node:stream'
import type { Process } from './process.ts'

/** Writes a body to a process's stdin, whose end it leaves to the caller. Rejects where the body breaks off. */
export function takeBody(request: IncomingMessage, process: Process): Promise<void> {
  const { stdin } = process
  let gathering = false
  request.on('data', (chunk: Buffer) => {
    if (!gathering && stdin !== undefined) {
      gathering = true
      stdin.cork()
      setImmediate(() => {
        gathering = false
        stdin.uncork()
      })
    }
    const more = process.write(chunk)
    if (stdin?.writableNeedDrain !== true) return
    request.pause()
    void more.then(() => request.resume())
  })
  return new Promise((resolve, reject) => {
    finished(request, (error) => (error ? reject(error) : resolve()))
  })
}
