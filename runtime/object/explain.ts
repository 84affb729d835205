/** Why a container ended or did not start, in words, with what to do about it. Pure: the same everywhere it is shown. */
import type { Reason } from '../protocol/model.ts'

const NAMES: Readonly<Record<number, string>> = {
  1: 'SIGHUP',
  2: 'SIGINT',
  3: 'SIGQUIT',
  4: 'SIGILL',
  5: 'SIGTRAP',
  6: 'SIGABRT',
  7: 'SIGBUS',
  8: 'SIGFPE',
  9: 'SIGKILL',
  10: 'SIGUSR1',
  11: 'SIGSEGV',
  12: 'SIGUSR2',
  13: 'SIGPIPE',
  14: 'SIGALRM',
  15: 'SIGTERM',
  18: 'SIGCONT',
  19: 'SIGSTOP',
}

/** `SIGTERM`, or `signal 40` where it has no name. */
export function signalName(signal: number): string {
  return NAMES[signal] ?? `signal ${signal}`
}

export interface Explanation {
  readonly message: string
  readonly advice: readonly string[]
  /** Whether someone should look: an end that nobody asked for. */
  readonly failed: boolean
}

/** Says a reason in a sentence. `memoryMib` is the class's limit, for out of memory. */
export function explain(reason: Reason, memoryMib: number | undefined): Explanation {
  switch (reason.kind) {
    case 'exited':
      return explainExit(reason.exitCode)
    case 'out-of-memory':
      return {
        message: `Out of memory: the kernel killed the root process${memoryMib === undefined ? '' : ` at its limit of ${memoryMib} MiB`} (exit ${reason.exitCode}).`,
        advice: ['Give the class a larger "instance_type" in the wrangler config, or let the app use less.'],
        failed: true,
      }
    case 'destroyed':
      return calm(`Destroyed by ${who(reason.by)}${reason.value === undefined ? '' : `: ${reason.value}`}.`)
    case 'signalled':
      return calm(`Ended after ${who(reason.by)} sent ${signalName(reason.sent)} (exit ${reason.exitCode}).`)
    case 'idle':
      return calm(`Ended by sleepAfter: no request came in the time that the class allows (exit ${reason.exitCode}).`)
    case 'abort':
      return calm('Ended because its object’s instance went away (ctx.abort()).')
    case 'eviction':
      return calm('Ended because its object was idle and was evicted; setInactivityTimeout() lets it live on.')
    case 'image-rebuilt':
      return calm('Ended because its image was built anew.')
    case 'engine-gone':
      return {
        message: 'The container engine stopped, and the container with it.',
        advice: ['It starts again with the next start().'],
        failed: true,
      }
    case 'removed-outside':
      return {
        message: 'Someone stopped, killed or removed the container from outside, with the engine’s own tools.',
        advice: ['It starts again with the next start().'],
        failed: true,
      }
    case 'agent-lost':
      return {
        message: `Something in the container ${reason.silent ? 'stopped' : 'ended'} Moorage’s agent there, without which nothing reaches it: it was ended.`,
        advice: [
          `Look for a kill ${reason.silent ? '-STOP ' : ''}of all processes (kill -1) in the app. It starts again with the next start().`,
        ],
        failed: true,
      }
    case 'session-ended':
      return calm('Ended with the session.')
    case 'start-failed':
      return {
        message:
          reason.code === 'too-many-instances'
            ? `It did not start: ${reason.message}`
            : `It did not start (${reason.phase}): ${reason.message}`,
        advice: adviceForStart(reason.code),
        failed: true,
      }
  }
}

function explainExit(exitCode: number): Explanation {
  if (exitCode === 0) return calm('The root process ended by itself (exit 0).')
  if (exitCode > 128 && exitCode <= 192) {
    const signal = exitCode - 128
    const advice =
      signal === 9 ? ['Nobody here sent it: look for a kill from inside the container, or from another tool.'] : []
    return { message: `The root process was ended by ${signalName(signal)} (exit ${exitCode}).`, advice, failed: true }
  }
  return {
    message: `The root process ended by itself with exit code ${exitCode}.`,
    advice: [],
    failed: true,
  }
}

function adviceForStart(code: string): string[] {
  if (code === 'executable-not-found') return ['Check CMD and ENTRYPOINT of the image, and "entrypoint" of start().']
  if (code === 'too-many-instances')
    return ['Raise "max_instances" in the wrangler config, or end containers that are not needed.']
  return []
}

function calm(message: string): Explanation {
  return { message, advice: [], failed: false }
}

function who(by: 'worker' | 'person'): string {
  return by === 'worker' ? 'the Worker' : 'you'
}

/** Told when a TERM is sent to a root process that has no handler for it (`SigCgt` in /proc/1/status). */
export const TERM_IS_IGNORED =
  'The root process has no handler for SIGTERM, and the kernel does not give PID 1 the default one: it will not end. ' +
  'Either handle SIGTERM in the app, or start it under an init that passes it on (ENTRYPOINT ["tini", "--"]).'

/** Whether a process's status says that a signal ends it or is handled: caught, and not ignored. */
export function catches(status: string, signal: number): boolean {
  const mask = /^SigCgt:\s*([0-9a-f]+)$/m.exec(status)?.[1]
  return mask === undefined || (BigInt(`0x${mask}`) & (1n << BigInt(signal - 1))) !== 0n
}
