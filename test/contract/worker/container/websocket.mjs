// A WebSocket that echoes (RFC 6455, no extensions). The text 'close' makes it close with 4001 'asked', the text 'headers'
// is answered with the request's raw headers.
import { createHash } from 'node:crypto'

const CONTINUATION = 0
const CLOSE = 8
const PING = 9
const PONG = 10

/** Answers an upgrade with 101 and two headers of its own; anything but /ws is refused with 403. */
export function upgrade(request, socket) {
  socket.on('error', () => socket.destroy())
  if (!request.url.startsWith('/ws')) {
    socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nX-Refused: yes\r\n\r\nno')
    return
  }
  const key = createHash('sha1')
    .update(`${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
    .digest('base64')
  const protocol = request.headers['sec-websocket-protocol']?.split(',')[0]
  socket.write(
    [
      'HTTP/1.1 101 Switching Protocols',
      'Upgrade: websocket',
      'Connection: Upgrade',
      `Sec-WebSocket-Accept: ${key}`,
      'X-From-Container: yes',
      ...(protocol ? [`Sec-WebSocket-Protocol: ${protocol}`] : []),
      '\r\n',
    ].join('\r\n'),
  )
  let pending = Buffer.alloc(0)
  let fragments = []
  socket.on('data', (chunk) => {
    pending = Buffer.concat([pending, chunk])
    for (let frame = take(); frame; frame = take()) answer(frame)
  })

  function answer({ fin, opcode, payload }) {
    if (opcode === PING) return write(PONG, payload)
    if (opcode === PONG) return undefined
    if (opcode === CLOSE) {
      write(CLOSE, payload)
      return socket.end()
    }
    fragments.push({ opcode, payload })
    if (!fin) return undefined
    const kind = fragments.find((f) => f.opcode !== CONTINUATION).opcode
    const whole = Buffer.concat(fragments.map((f) => f.payload))
    fragments = []
    if (kind === 1 && whole.toString() === 'close') return write(CLOSE, Buffer.from('\x0f\xa1asked', 'latin1'))
    if (kind === 1 && whole.toString() === 'headers') return write(1, Buffer.from(JSON.stringify(request.rawHeaders)))
    return write(kind, whole)
  }

  /** One whole frame out of `pending`, or undefined. */
  function take() {
    if (pending.length < 2) return undefined
    const fin = (pending[0] & 0x80) !== 0
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
    return { fin, opcode, payload }
  }

  function write(opcode, payload) {
    const { length } = payload
    const head = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10)
    head[0] = 0x80 | opcode
    if (length < 126) head[1] = length
    else if (length < 65_536) {
      head[1] = 126
      head.writeUInt16BE(length, 2)
    } else {
      head[1] = 127
      head.writeBigUInt64BE(BigInt(length), 2)
    }
    socket.write(Buffer.concat([head, payload]))
  }
}
