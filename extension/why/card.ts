/** Why a container ended, or did not start, in words; and what helps. No VS Code here. */
import * as l10n from '@vscode/l10n'
import type { ClassModel, ContainerState, ObjectModel, Reason } from '../../runtime/index.ts'
import type { Card } from '../../webview/messages.ts'
import { signalName } from '../actions/signals.ts'
import type { CommandId } from '../contributes/commands.ts'
import { clock, memoryLimit, vcpus } from '../explorer/words.ts'
import { harmless } from '../terminal/log-lines.ts'

/** A button, and what it does. */
export interface Step {
  readonly label: string
  readonly command: CommandId
}

type Ended = ContainerState & { readonly state: 'stopped' | 'failed' }

/** The card of an object whose container has ended; undefined where it has not. */
export function cardOf(
  object: ObjectModel,
  one: ClassModel | undefined,
): { readonly card: Card; readonly steps: readonly Step[] } | undefined {
  const { container } = object
  if (container.state !== 'stopped' && container.state !== 'failed') return undefined
  const { end } = container
  const steps = stepsFor(end.reason, object)
  const card: Card = {
    title: `${object.name ?? object.id} · ${object.className}`,
    headline: end.message,
    failed: container.state === 'failed',
    facts: factsOf(container, one).map(([name, value]) => ({ name, value })),
    advice: end.advice,
    log: end.lastLog.map(harmless),
    actions: steps.map(({ label }, index) => ({ label, index })),
    words: {
      log: l10n.t('Last lines of its log'),
      noLog: l10n.t('It wrote nothing.'),
      next: l10n.t('What to do next'),
    },
  }
  return { card, steps }
}

function factsOf({ end, life }: Ended, one: ClassModel | undefined): readonly (readonly [string, string])[] {
  const { reason } = end
  const facts: (readonly [string, string])[] = [
    [l10n.t('When'), `${clock(end.at)} · ${new Date(end.at).toLocaleDateString()}`],
    [l10n.t('Reason'), reasonWords(reason)],
  ]
  if (reason.kind === 'start-failed') facts.push([l10n.t('Phase reached'), PHASES[reason.phase]()])
  if ('exitCode' in reason) facts.push([l10n.t('Exit code'), exitWords(reason)])
  if (reason.kind === 'start-failed') facts.push([l10n.t("The engine's answer"), `${reason.message} (${reason.code})`])
  if (reason.kind === 'destroyed' && reason.value !== undefined) {
    facts.push([l10n.t('Value given to destroy()'), reason.value])
  }
  if (one?.limits !== undefined) {
    const { cpus, memoryBytes } = one.limits
    facts.push([
      l10n.t('Limits'),
      l10n.t('{0}: {1}, {2} memory', one.instanceType, vcpus(cpus), memoryLimit(memoryBytes)),
    ])
  }
  if (one?.image.state === 'ready') facts.push([l10n.t('Image'), one.image.image])
  facts.push([l10n.t('Start'), l10n.t('number {0} of this object in this session', life)])
  return facts
}

/** How far a start came. */
const PHASES = {
  image: () => l10n.t('image: it was not ready'),
  create: () => l10n.t('create: the engine did not make the container'),
  start: () => l10n.t('start: the engine did not start it'),
  agent: () => l10n.t('command: the container ran, its program did not start'),
  port: () => l10n.t('port: the program ran, its port did not open'),
} as const

/** Who or what ended it. */
function reasonWords(reason: Reason): string {
  switch (reason.kind) {
    case 'exited':
      return reason.signal === undefined
        ? l10n.t('the program ended by itself')
        : l10n.t('the program was ended by {0}, which was not sent from here', signalName(reason.signal))
    case 'out-of-memory':
      return l10n.t('out of memory: the kernel ended it at the limit')
    case 'destroyed':
      return reason.by === 'person' ? l10n.t('you destroyed it') : l10n.t('the Worker called destroy()')
    case 'signalled':
      return reason.by === 'person'
        ? l10n.t('you sent {0}', signalName(reason.sent))
        : l10n.t('the Worker sent {0}', signalName(reason.sent))
    case 'idle':
      return l10n.t('idle: nobody used it for as long as sleepAfter says')
    case 'abort':
      return l10n.t('the object was aborted')
    case 'eviction':
      return l10n.t('the object was evicted from memory')
    case 'image-rebuilt':
      return l10n.t('its image was built anew')
    case 'engine-gone':
      return l10n.t('the container engine went away')
    case 'session-ended':
      return l10n.t('the session ended')
    case 'removed-outside':
      return l10n.t('somebody removed the container by other means')
    case 'agent-lost':
      return l10n.t("Moorage's agent in the container was killed")
    case 'start-failed':
      return l10n.t('it did not start')
  }
}

/** `137, that is 128 + 9: ended by SIGKILL`. */
function exitWords(reason: Reason & { readonly exitCode: number }): string {
  const { exitCode } = reason
  const signal = 'signal' in reason ? reason.signal : exitCode > 128 && exitCode <= 192 ? exitCode - 128 : undefined
  if (signal !== undefined) return l10n.t('{0}: ended by {1}', exitCode, signalName(signal))
  const meaning = EXITS[exitCode]?.()
  return meaning === undefined ? String(exitCode) : `${exitCode}: ${meaning}`
}

/** What exit codes mean by custom. */
const EXITS: Readonly<Record<number, () => string>> = {
  0: () => l10n.t('all went well'),
  1: () => l10n.t('an error'),
  2: () => l10n.t('wrong use, by custom of shells'),
  126: () => l10n.t('the program cannot be run: is it executable?'),
  127: () => l10n.t('the program was not found'),
}

/** What most probably helps, first. */
function stepsFor(reason: Reason, object: ObjectModel): readonly Step[] {
  const start: Step = { label: l10n.t('Start Again'), command: 'moorage.startContainer' }
  const logs: Step = { label: l10n.t('Show Logs'), command: 'moorage.showLogs' }
  const shell: Step = { label: l10n.t('Open Shell in Image'), command: 'moorage.shellInImage' }
  const code: Step = { label: l10n.t('Go to Class'), command: 'moorage.revealClass' }
  const dockerfile: Step = { label: l10n.t('Open Dockerfile'), command: 'moorage.goToFailure' }
  const rebuild: Step = { label: l10n.t('Rebuild Image'), command: 'moorage.rebuildImage' }
  const config: Step = { label: l10n.t('Open Wrangler Config'), command: 'moorage.openConfig' }
  switch (reason.kind) {
    case 'out-of-memory':
      return [{ label: l10n.t('Raise the Memory'), command: 'moorage.raiseMemory' }, start, logs]
    case 'start-failed':
      if (reason.phase === 'image')
        return [dockerfile, rebuild, { label: l10n.t('Open Log'), command: 'moorage.showBuild' }]
      if (reason.phase === 'port') return [code, logs, shell, start]
      if (reason.code === 'too-many-instances') return [config, start]
      return [dockerfile, shell, start]
    case 'exited':
      return reason.exitCode === 126 || reason.exitCode === 127
        ? [shell, dockerfile, start]
        : [start, logs, shell, code]
    case 'engine-gone':
      return [{ label: l10n.t("Show Moorage's Log"), command: 'moorage.showLog' }, start]
    case 'idle':
      return [start, code, logs]
    default:
      return object.container.state === 'failed' ? [logs, start, shell] : [start, logs]
  }
}
