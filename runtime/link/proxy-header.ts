/** The PROXY protocol v2 header that the gateway puts in front of a flow (haproxy's proxy-protocol.txt, section 2.2). */

const SIGNATURE = Buffer.from('0d0a0d0a000d0a515549540a', 'hex')
const FIXED_BYTES = 16

export interface FlowAddresses {
  readonly source: string
  readonly sourcePort: number
  readonly destination: string
  readonly destinationPort: number
  /** Bytes of the header; what follows is the flow's own. */
  readonly headerBytes: number
}

/**
 * Reads the header at the start of `bytes`.
 * @returns undefined where more bytes are needed.
 * @throws Error where it is no such header, or not of TCP over IPv4.
 */
export function readProxyHeader(bytes: Buffer): FlowAddresses | undefined {
  const known = Math.min(bytes.length, SIGNATURE.length)
  if (!bytes.subarray(0, known).equals(SIGNATURE.subarray(0, known))) throw new Error('Not a PROXY protocol header.')
  if (bytes.length < FIXED_BYTES) return undefined
  if (bytes[12] !== 0x21 || bytes[13] !== 0x11) throw new Error('Not a PROXY protocol header of TCP over IPv4.')
  const length = bytes.readUInt16BE(14)
  if (length < 12 || length > 512) throw new Error(`A PROXY protocol header of ${length} bytes.`)
  if (bytes.length < FIXED_BYTES + length) return undefined
  return {
    source: bytes.subarray(16, 20).join('.'),
    destination: bytes.subarray(20, 24).join('.'),
    sourcePort: bytes.readUInt16BE(24),
    destinationPort: bytes.readUInt16BE(26),
    headerBytes: FIXED_BYTES + length,
  }
}
