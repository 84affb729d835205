/** The one place where what an engine answers becomes a MoorageError. Engines have no codes, so it is recognised by its words, here only. */
import { type ErrorCode, MoorageError } from '../protocol/errors.ts'

/** What an engine complained about, as a stable word in `detail.problem`. */
export type EngineProblem =
  | 'no-such-container'
  | 'no-such-image'
  | 'no-such-network'
  | 'not-found'
  | 'name-conflict'
  | 'being-removed'
  | 'not-running'
  | 'already-paused'
  | 'in-use'
  | 'disk-full'
  | 'permission'
  | 'lost'
  | 'executable-not-found'
  | 'not-executable'
  | 'port-taken'
  | 'other'

interface Rule {
  readonly problem: EngineProblem
  readonly code: ErrorCode
  readonly status?: number
  readonly words?: RegExp
  readonly advice?: readonly string[]
}

/** What to do when the engine's disk is full. */
export const DISK_ADVICE = [
  'Free some space: `docker system df` shows what the engine holds, `docker system prune` removes what nothing uses.',
]

/** First match wins. */
const RULES: readonly Rule[] = [
  {
    problem: 'disk-full',
    code: 'disk-full',
    words: /no space left on device|not enough (disk )?space|disk quota exceeded/i,
    advice: DISK_ADVICE,
  },
  {
    problem: 'permission',
    code: 'engine-error',
    words: /pull access denied|denied: requested access|unauthorized: authentication required/i,
  },
  { problem: 'no-such-image', code: 'image-missing', status: 404, words: /no such image|image.*not (found|known)/i },
  { problem: 'no-such-network', code: 'engine-error', status: 404, words: /network .*not found|no such network/i },
  { problem: 'no-such-container', code: 'engine-error', status: 404, words: /no such container|no container with/i },
  {
    problem: 'being-removed',
    code: 'engine-error',
    words: /removal of container .* is already in progress|is marked for removal|being removed/i,
  },
  { problem: 'name-conflict', code: 'engine-error', status: 409, words: /name .*already in use|already exists/i },
  {
    problem: 'in-use',
    code: 'engine-error',
    words: /is being used by|is using its|has active endpoints|is in use/i,
  },
  { problem: 'not-running', code: 'engine-error', words: /is not running|is not paused|cannot kill container/i },
  { problem: 'already-paused', code: 'engine-error', words: /already paused/i },
  { problem: 'port-taken', code: 'port-in-use', words: /port is already allocated|address already in use/i },
  {
    problem: 'executable-not-found',
    code: 'executable-not-found',
    words: /executable file not found|exec: .*no such file or directory|stat .*: no such file or directory/i,
  },
  { problem: 'not-executable', code: 'executable-not-found', words: /exec format error|exec: .*permission denied/i },
  { problem: 'not-found', code: 'engine-error', status: 404 },
  { problem: 'not-found', code: 'engine-error', words: /too many links|too many levels of symbolic links/i },
  { problem: 'permission', code: 'engine-error', status: 403 },
  { problem: 'permission', code: 'engine-error', status: 401 },
]

/** An answer of the engine that is not a success. `doing` completes "The engine could not …". */
export function answerError(status: number, body: string, doing: string): MoorageError {
  const message = messageOf(body) || `status ${status}`
  const rule = RULES.find(
    (r) => (r.status === undefined || r.status === status) && (r.words === undefined || r.words.test(message)),
  )
  return new MoorageError(rule?.code ?? 'engine-error', `The engine could not ${doing}: ${message}`, {
    advice: rule?.advice ?? [],
    detail: { problem: rule?.problem ?? 'other', status, engineMessage: message },
  })
}

/** An error that came within a stream of progress, where the status was already 200. */
export function streamError(message: string, doing: string): MoorageError {
  return answerError(0, JSON.stringify({ message }), doing)
}

const LOST = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ENOENT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ESSH',
  'ERR_STREAM_PREMATURE_CLOSE',
])

/** A connection that failed or ended in the middle. What is a MoorageError already, or a programming error, comes back as it is. */
export function connectionError(error: unknown, doing: string, engine: string): unknown {
  if (error instanceof MoorageError || !(error instanceof Error)) return error
  const code = (error as NodeJS.ErrnoException).code
  if (code === 'EACCES' || code === 'EPERM') {
    return new MoorageError('engine-error', `The engine at ${engine} may not be used by this user (${code}).`, {
      advice: permissionAdvice(engine),
      detail: { problem: 'permission', code, engine },
      cause: error,
    })
  }
  if ((code !== undefined && LOST.has(code)) || /socket hang up|aborted/.test(error.message)) {
    return new MoorageError(
      'engine-lost',
      `The connection to the engine at ${engine} was lost, so it could not ${doing} (${code ?? error.message}).`,
      {
        advice: ['See whether the engine still runs: `docker version`.'],
        detail: { problem: 'lost', code: code ?? 'closed', engine },
        cause: error,
      },
    )
  }
  if (code !== undefined && /CERT|^ERR_(TLS|SSL)|^EPROTO$|^HPE_/.test(code)) {
    const message = `The engine at ${engine} and this machine do not agree on TLS: ${error.message} (${code}).`
    return new MoorageError('engine-error', message, {
      advice: ['Check DOCKER_TLS_VERIFY and the certificates in DOCKER_CERT_PATH, or those of the docker context.'],
      detail: { problem: 'permission', code, engine },
      cause: error,
    })
  }
  return error
}

/** What to do where the engine's socket is there but closed to this user. */
export function permissionAdvice(socket: string): readonly string[] {
  return [
    `Add yourself to the group that owns ${socket}, then log in again: sudo usermod -aG docker $USER`,
    'Or run a rootless engine of your own (https://docs.docker.com/engine/security/rootless/).',
  ]
}

/** The word for what an engine complained about; undefined where it was not the engine. */
export function problemOf(error: unknown): EngineProblem | undefined {
  return error instanceof MoorageError ? (error.detail.problem as EngineProblem | undefined) : undefined
}

/** Whether the thing that was asked for is not there (any more). */
export function isGone(error: unknown): boolean {
  const problem = problemOf(error)
  return (
    problem === 'no-such-container' ||
    problem === 'no-such-network' ||
    problem === 'no-such-image' ||
    problem === 'not-found'
  )
}

function messageOf(body: string): string {
  try {
    const parsed: unknown = JSON.parse(body)
    if (parsed && typeof parsed === 'object') {
      if ('message' in parsed && typeof parsed.message === 'string') return parsed.message.trim()
      if ('cause' in parsed && typeof parsed.cause === 'string') return parsed.cause.trim()
    }
  } catch {
    // Some answers, and those of proxies in between, are plain text.
  }
  return body.trim().slice(0, 2000)
}
