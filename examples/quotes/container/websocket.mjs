import { createHash } from 'node:crypto'

const TEXT = 1
const CLOSE = 8
const PING = 9
const PONG = 10

/**
 * Accepts a WebSocket (RFC 6455): text messages of one frame, no extensions. Set `onmessage` and `onclose` on what it returns.
 */
export function accept(request, socket) {
  const key = createHash('sha1')
    .update(`${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
    .digest('base64')
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${key}\r\n\r\n`,
  )

  const ws = { onmessage() {}, onclose() {}, send: (text) => write(TEXT, Buffer.from(text)) }
  let pending = Buffer.alloc(0)

  socket.on('data', (chunk) => {
    pending = Buffer.concat([pending, chunk])
    for (let frame = read(); frame; frame = read()) {
      if (frame.opcode === TEXT) ws.onmessage(frame.payload.toString())
      if (frame.opcode === PING) write(PONG, frame.payload)
      if (frame.opcode === CLOSE) {
        write(CLOSE, frame.payload)
        socket.end()
      }
    }
  })
  socket.on('error', () => socket.destroy())
  socket.on('close', () => ws.onclose())

  /** Takes one frame out of `pending`, or nothing where it is not complete yet. */
  function read() {
    if (pending.length < 2) return undefined
    const opcode = pending[0] & 0x0f
    let length = pending[1] & 0x7f
    let at = 2
    if (length === 126) {
      if (pending.length < 4) return undefined
      length = pending.readUInt16BE(2)
      at = 4
    } else if (length === 127) {
      if (pending.length < 10) return undefined
      length = Number(pending.readBigUInt64BE(2))
      at = 10
    }
    if (pending.length < at + 4 + length) return undefined
    const mask = pending.subarray(at, at + 4)
    const payload = Buffer.from(pending.subarray(at + 4, at + 4 + length))
    for (let i = 0; i < length; i++) payload[i] ^= mask[i % 4]
    pending = pending.subarray(at + 4 + length)
    return { opcode, payload }
  }

  /** Writes one frame; a server's frames are not masked. */
  function write(opcode, payload) {
    const head = Buffer.alloc(payload.length < 126 ? 2 : payload.length < 65_536 ? 4 : 10)
    head[0] = 0x80 | opcode
    if (payload.length < 126) head[1] = payload.length
    else if (payload.length < 65_536) {
      head[1] = 126
      head.writeUInt16BE(payload.length, 2)
    } else {
      head[1] = 127
      head.writeBigUInt64BE(BigInt(payload.length), 2)
    }
    socket.write(Buffer.concat([head, payload]))
  }

  return ws
}
