/**
 * The wire between the relay (link/gateway.ts) and the gateway container (native/gateway.c). The relay dials in; the
 * gateway never dials the host.
 *
 * 1. Over the gateway's stdin, at once after its start, one CLAIM frame: u8 version, 32 bytes secret. It then listens, and
 *    writes the line `ready\n` on stdout. When stdin ends it ends.
 * 2. Each connection to its runtime port opens with `GATEWAY_MAGIC`, u8 version, the secret, u8 kind. Kind CONTROL carries
 *    frames both ways; one at a time, a newer one replaces the older. Kind PARKED waits for a flow: the gateway hands it one
 *    with a PROXY protocol v2 header in front (source = sandbox, destination = where it wanted to go), the relay answers one
 *    byte (Verdict), and the bytes follow. A flow to the gateway's own agent port is an agent's link and is handed over the same way.
 * 3. The control connection lost: rules stay, flows that are open go on, new ones wait for 5 s for a parked connection, then are refused.
 */
import { SECRET_BYTES, WIRE_VERSION } from './frames.ts'

export const GATEWAY_MAGIC = 'MRGG'

/** The port inside the gateway that the runtime dials; published on loopback at a port of the engine's choice. */
export const RUNTIME_PORT = 7001

/** The port inside the gateway that agents connect to. */
export const AGENT_PORT = 7002

/** The port that the gateway answers DNS datagrams at; queries to any address at port 53 come here as well. */
export const DNS_PORT = 53

export const Kind = { CONTROL: 1, PARKED: 2 } as const

/** The relay's answer to a flow. */
export const Verdict = {
  /** The relay takes the bytes. */
  TAKE: 1,
  /** The gateway connects it to its destination itself and splices; the relay's connection ends. */
  DIRECT: 2,
  /** The flow is reset. */
  REFUSE: 3,
} as const

/** Frame types on the control connection, runtime to gateway. Each but ANSWER is answered by DONE with its id. */
export const ToGateway = {
  /** Flows to this TCP port come to the relay. Payload: u16 port. */
  COVER: 16,
  UNCOVER: 17,
  /** A sandbox may use the internet (forwarded by the kernel). Payload: 4 bytes address, u8 1 or 0. */
  INTERNET: 18,
  /** Answers a DATAGRAM of the same id. Payload: the bytes. */
  ANSWER: 19,
  /** One more network that no sandbox may reach. Payload: 4 bytes address, u8 bits of its prefix. */
  REFUSE: 20,
} as const

/** Frame types on the control connection, gateway to runtime. */
export const FromGateway = {
  /** Payload: u32 errno, 0 if done. */
  DONE: 32,
  /** A DNS query. Payload: 4 bytes source, u16 source port, 4 bytes destination, bytes. Unanswered for 10 s it is forgotten. */
  DATAGRAM: 33,
} as const

/** The bytes that open a connection to the gateway. */
export function encodeOpening(secret: Uint8Array, kind: number): Uint8Array {
  const bytes = new Uint8Array(4 + 1 + SECRET_BYTES + 1)
  bytes.set(new TextEncoder().encode(GATEWAY_MAGIC))
  bytes[4] = WIRE_VERSION
  bytes.set(secret, 5)
  bytes[5 + SECRET_BYTES] = kind
  return bytes
}
