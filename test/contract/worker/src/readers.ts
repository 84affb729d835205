/** Ways of reading a whole stream. */
export const READERS: Record<string, (stream: ReadableStream) => Promise<ArrayBuffer>> = {
  response: (stream) => new Response(stream).arrayBuffer(),
  iteration: async (stream) => {
    const parts: Uint8Array<ArrayBuffer>[] = []
    for await (const part of stream) parts.push(part as Uint8Array<ArrayBuffer>)
    return new Blob(parts).arrayBuffer()
  },
  byob: async (stream) => {
    const reader = stream.getReader({ mode: 'byob' })
    const parts: Uint8Array<ArrayBuffer>[] = []
    for (;;) {
      const { done, value } = await reader.read(new Uint8Array(10_000))
      if (done) return new Blob(parts).arrayBuffer()
      parts.push(value as Uint8Array<ArrayBuffer>)
    }
  },
  pipeTo: async (stream) => {
    const { readable, writable } = new IdentityTransformStream()
    const all = new Response(readable).arrayBuffer()
    await stream.pipeTo(writable)
    return all
  },
  tee: async (stream) => {
    const [one, two] = stream.tee()
    const [first, second] = await Promise.all([one, two].map((branch) => new Response(branch).arrayBuffer()))
    if (first?.byteLength !== second?.byteLength) throw new Error('the branches differ')
    return first as ArrayBuffer
  },
}
