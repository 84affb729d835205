import { until } from '../tell.ts'
import type { Sentences } from './index.ts'

const MIB = 1 << 20

/** `size` bytes that differ from place to place. */
function pattern(size: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size)
  for (let i = 0; i < size; i++) bytes[i] = (i * 31 + (i >> 8)) & 0xff
  return bytes
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

export const bodies: Sentences = {
  async requestBody(o, { size }) {
    await o.boot()
    const body = pattern(Number(size))
    const answer = await o.container.getTcpPort(8080).fetch('http://container/digest', { method: 'POST', body })
    const told = (await answer.json()) as { bytes: number; sha256: string }
    return { bytes: told.bytes, same: told.sha256 === (await sha256(body)) }
  },

  /** The length of a body that is known is told, of a stream it is not. */
  async framing(o) {
    await o.boot()
    const port = o.container.getTcpPort(8080)
    const names = async (body: BodyInit): Promise<string[]> => {
      const answer = await port.fetch('http://container/echo', { method: 'POST', body })
      const { rawHeaders } = (await answer.json()) as { rawHeaders: string[] }
      return rawHeaders
        .map((name) => name.toLowerCase())
        .filter((name) => /^(content-length|transfer-encoding)$/.test(name))
    }
    const { readable, writable } = new IdentityTransformStream()
    const writer = writable.getWriter()
    const written = writer.write(new TextEncoder().encode('streamed')).then(() => writer.close())
    const streamed = await names(readable)
    await written
    return { known: await names('known'), streamed }
  },

  /** The server tells of the first part while the second is not written yet. */
  async requestStreams(o) {
    await o.boot()
    const { readable, writable } = new IdentityTransformStream()
    const answer = o.container
      .getTcpPort(8080)
      .fetch('http://container/upload?name=up', { method: 'POST', body: readable })
    const writer = writable.getWriter()
    await writer.write(pattern(1000))
    let arrived = 0
    await until('the first part arrived', async () => {
      arrived = ((await (await o.get('progress?name=up')).json()) as { bytes: number }).bytes
      return arrived === 1000
    })
    await writer.write(pattern(500))
    await writer.close()
    return { arrived, whole: await (await answer).json() }
  },

  /** The first part is read while the server has not sent the second. */
  async responseStreams(o) {
    await o.boot()
    const answer = await o.get('stream?name=down')
    const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader()
    const first = await reader?.read()
    await o.get('release?name=down')
    let rest = ''
    for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) rest += part.value
    return [first?.value, rest]
  },

  async responseBody(o, { size }) {
    await o.boot()
    const bytes = await (await o.get(`bytes?n=${size}`)).arrayBuffer()
    return bytes.byteLength
  },

  /** Up and down at once, more than fits into any buffer between. */
  async bothWays(o) {
    await o.boot()
    const { readable, writable } = new FixedLengthStream(8 * MIB)
    const answer = o.container.getTcpPort(8080).fetch('http://container/digest', { method: 'POST', body: readable })
    const writer = writable.getWriter()
    const part = pattern(64 * 1024)
    const down = o.get(`bytes?n=${8 * MIB}`)
    for (let i = 0; i < 128; i++) await writer.write(part)
    await writer.close()
    const up = (await (await answer).json()) as { bytes: number }
    return { up: up.bytes, down: (await (await down).arrayBuffer()).byteLength }
  },

  async encoded(o) {
    await o.boot()
    const answer = await o.get('gzip')
    return { encoding: answer.headers.get('content-encoding'), text: await answer.text() }
  },

  async cancelled(o) {
    await o.boot()
    const answer = await o.get('stream?name=cancelled')
    await answer.body?.cancel()
    return (await o.get('health')).status
  },
}
