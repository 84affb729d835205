/**
 * The wire between the relay (link/agent.ts) and the agent in a container (native/agent.c).
 *
 * 1. Over the container's stdin, at once after its start, one CLAIM frame. Without it the agent ends by itself after 10 s.
 *    When stdin ends, so does everything in the container.
 * 2. The agent then connects to the gateway's address and agent port, sends an opening (`AGENT_MAGIC`, u8 version,
 *    the 32 bytes of its secret), and frames follow both ways. Lost, it is opened again, at once and then every 100 ms;
 *    connections are gone then, processes are not.
 */
import { encodeFrame, MAX_COMMAND_BYTES, SECRET_BYTES, WIRE_VERSION } from './frames.ts'

/** The first four bytes that an agent sends. */
export const AGENT_MAGIC = 'MRGA'

/** Bytes of an agent's opening: magic, version, secret. */
export const OPENING_BYTES = 4 + 1 + SECRET_BYTES

/** Frame types on stdin. */
export const CLAIM = 1

/** Frame types, runtime to agent. */
export const ToAgent = {
  /** Start the app as PID 1. Payload: a command. Once in a life. Answered by STARTED or FAILED with id 0. */
  RUN: 16,
  /** Start a process. Payload: a command. The id is the caller's choice, not in use, not 0. Answered by STARTED or FAILED. */
  SPAWN: 17,
  /** Bytes for a process's stdin or a connection. Only as far as CREDIT allows. */
  DATA: 18,
  /** No more DATA for this id: stdin is closed, a connection is half-closed. */
  EOF: 19,
  /** Payload: u8 stream, u32 bytes that the receiver takes more. */
  CREDIT: 20,
  /** Payload: u8 signal, 1..64. Id 0 is PID 1. Never answered. */
  SIGNAL: 21,
  /** Payload: u16 columns, u16 rows, of a process with a PTY. */
  RESIZE: 22,
  /** Open a connection to a port of the container. Payload: u16 port. Answered by OPENED or FAILED. */
  DIAL: 23,
  /** Forget an id: a connection is reset; a process goes on, what it writes is thrown away. */
  CLOSE: 24,
  /** EXIT and every EOF of a process arrived: the agent forgets the id, which may be used again. */
  EXITED: 25,
  /** Read a fact of the kernel. Payload: u8, one of Fact. Answered by FACT. */
  ASK: 26,
  /** Kill a process and all that it started and that stayed in its session. */
  END: 27,
  /** The beginning of a command that is too long for one frame; RUN or SPAWN with its id brings the rest. One command at a time. */
  PART: 28,
  /** Payload: u8 stream. Nobody reads this output of a process any more: it is closed, and who writes to it has SIGPIPE or EPIPE. A terminal hangs up. */
  HANG_UP: 29,
} as const

/** Frame types, agent to runtime. */
export const FromAgent = {
  /** The first frame after the opening. Payload: u8 1 where the app already runs (a link opened again), else 0. */
  HELLO: 32,
  /** Payload: u32 pid as seen inside the container. */
  STARTED: 33,
  /** Payload: u32 errno, u8 step (Step). ENODATA: the image has no list of users. ELIBACC: what interprets or loads the file is missing. */
  FAILED: 34,
  /** Payload: u8 stream (Stream), bytes. */
  DATA: 35,
  /** Payload: u8 stream. */
  EOF: 36,
  /** Payload: u32 bytes that the agent takes more for this id. The first window (WINDOW_BYTES) is granted silently. */
  CREDIT: 37,
  /** Payload: u32 exit code (128 + n for a signal), u8 signal or 0. Comes when the process ends; DATA and EOF of output that is still unread may follow. */
  EXIT: 38,
  /** A connection is open. */
  OPENED: 39,
  /** Payload: u8 which, bytes (at most 60,000). */
  FACT: 40,
  /**
   * Of each process when a link was opened again, before all else: u64 bytes of stdin that came, u64 of stdout and u64 of stderr
   * that went, over all links; u8 1 where stdin's EOF came or nobody reads it. Both sides go on with full windows. An id that the runtime does
   * not know is a process without an owner.
   */
  COUNTS: 41,
} as const

/** Which stream of an id. */
export const Stream = { CONNECTION: 0, STDOUT: 1, STDERR: 2 } as const

/** What the agent was doing when an errno came. */
export const Step = {
  COMMAND: 0,
  FORK: 1,
  EXEC: 2,
  CWD: 3,
  PERMISSION: 4,
  USER: 5,
  PIPE: 6,
  PTY: 7,
  CONNECT: 8,
  LIMIT: 9,
} as const

/**
 * Facts that ASK reads. STATUS: /proc/1/status. LISTENING: a line for each TCP socket that listens, as /proc/net/tcp and tcp6
 * have it. Of the container's own cgroup, of version 2 or else 1, CPU: cpu.stat or cpuacct.usage; MEMORY: memory.current or
 * memory.usage_in_bytes; MEMORY_STAT: memory.stat.
 */
export const Fact = { STATUS: 1, LISTENING: 2, CPU: 3, MEMORY: 4, MEMORY_STAT: 5 } as const

/** What to start. */
export interface Command {
  /** Executable and arguments, at least one. Looked up in the environment's PATH unless it has a slash. */
  readonly argv: readonly string[]
  /** The whole environment. HOME is added from /etc/passwd, PATH as the engine would, where missing. */
  readonly env: Readonly<Record<string, string>>
  /** Empty: `/`. */
  readonly cwd: string
  /** A name or uid, with `:` and a group or gid if wanted; empty: the user that the agent has, root. */
  readonly user: string
  /** Bits of CommandFlag. */
  readonly flags: number
  readonly cols: number
  readonly rows: number
}

export const CommandFlag = {
  /** stdin is a pipe; without it, /dev/null. */
  STDIN: 1,
  /** stdout is thrown away (or stderr): /dev/null. */
  NO_STDOUT: 2,
  NO_STDERR: 4,
  /** stderr goes into stdout's pipe. */
  COMBINED: 8,
  /** A terminal of its own: stdin, stdout and stderr are its slave, output comes as STDOUT. */
  PTY: 16,
} as const

/**
 * Payload of RUN and SPAWN:
 *     u16 flags, u16 cols, u16 rows, u16 argc, u16 envc, then NUL-ended strings: cwd, user, argv..., NAME=value...
 * @throws RangeError where a string has a NUL.
 */
export function encodeCommand(command: Command): Uint8Array {
  const env = Object.entries(command.env).map(([name, value]) => `${name}=${value}`)
  const strings = [command.cwd, command.user, ...command.argv, ...env]
  if (strings.some((s) => s.includes('\0'))) throw new RangeError('A command has a NUL character.')
  const text = new TextEncoder().encode(`${strings.join('\0')}\0`)
  const bytes = new Uint8Array(10 + text.length)
  const view = new DataView(bytes.buffer)
  const numbers = [command.flags, command.cols, command.rows, command.argv.length, env.length]
  for (const [i, n] of numbers.entries()) view.setUint16(i * 2, n, true)
  bytes.set(text, 10)
  return bytes
}

/** Whether a command is one that the wire can carry; if not, it is answered as the kernel would: E2BIG. */
export function commandFits(command: Command, payload: Uint8Array): boolean {
  const counts = [command.argv.length, Object.keys(command.env).length]
  return payload.length <= MAX_COMMAND_BYTES && counts.every((count) => count <= 65_535)
}

/**
 * The frame that claims a container, for its stdin:
 *     payload: u8 version, 32 bytes secret, 4 bytes the gateway's IPv4 address, u16 its agent port
 */
export function encodeClaim(secret: Uint8Array, gatewayAddress: string, agentPort: number): Uint8Array {
  const payload = new Uint8Array(1 + SECRET_BYTES + 4 + 2)
  payload[0] = WIRE_VERSION
  payload.set(secret, 1)
  payload.set(gatewayAddress.split('.').map(Number), 1 + SECRET_BYTES)
  new DataView(payload.buffer).setUint16(1 + SECRET_BYTES + 4, agentPort, true)
  return encodeFrame(CLAIM, 0, payload)
}

/** What COUNTS tells. */
export interface Counts {
  readonly stdin: number
  readonly stdout: number
  readonly stderr: number
  /** stdin's EOF came, or nobody reads it. */
  readonly stdinOver: boolean
}

/** Reads the payload of COUNTS. @throws RangeError where it is too short. */
export function decodeCounts(payload: Uint8Array): Counts {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength)
  const count = (at: number): number => Number(view.getBigUint64(at, true))
  return { stdin: count(0), stdout: count(8), stderr: count(16), stdinOver: view.getUint8(24) === 1 }
}
