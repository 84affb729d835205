/** What happens in a session, in plain words: one line an event. */
import type { SessionEvent } from '../../../runtime/protocol/events.ts'
import type { ContainerState, ImageState, SessionModel, WorkerState } from '../../../runtime/protocol/model.ts'

/** One line of the demo: who speaks, and what it says. */
export interface Told {
  readonly who: 'engine' | 'image' | 'worker' | 'container' | 'log' | 'hook' | 'advice'
  readonly what: string
}

/** Hooks that run all the time and say nothing to a newcomer. */
const QUIET = new Set(['constructor', 'alarm', 'fetch'])

/** The line for an event; undefined where it says nothing to a person. `model` is the session after the event. */
export function tell(event: SessionEvent, model: SessionModel): Told | undefined {
  /** An object by its name. */
  const name = (key: string) => model.objects.find((object) => object.key === key)?.name ?? key
  switch (event.type) {
    case 'engine':
      return event.engine.state === 'ready'
        ? { who: 'engine', what: `${event.engine.name} ${event.engine.version}` }
        : undefined
    case 'image':
      return said('image', image(event.className, event.image))
    case 'worker':
      return said('worker', worker(event.worker))
    case 'worker-log':
      return { who: 'worker', what: event.text }
    case 'container':
      return said('container', container(name(event.object), event.container))
    case 'container-log':
      return { who: 'log', what: `${name(event.object)} | ${event.text}` }
    case 'hook':
      if (event.edge === 'begin' || QUIET.has(event.hook)) return undefined
      return {
        who: 'hook',
        what: `${name(event.object)}: ${event.hook}, ${event.error ?? event.detail ?? ms(event.tookMs ?? 0)}`,
      }
    case 'advice':
      return { who: 'advice', what: event.text }
    default:
      return undefined
  }
}

function said(who: Told['who'], what: string | undefined): Told | undefined {
  return what === undefined ? undefined : { who, what }
}

function image(className: string, state: ImageState): string | undefined {
  switch (state.state) {
    case 'preparing':
      return state.step === undefined
        ? `${className}: ${state.text}`
        : `${className}: step ${state.step} of ${state.steps}, ${state.text}`
    case 'ready':
      return `${className}: ready after ${ms(state.tookMs)}, ${Math.round(state.sizeBytes / 1e6)} MB`
    case 'failed':
      return `${className}: ${state.message}`
    default:
      return undefined
  }
}

function worker(state: WorkerState): string {
  if (state.state === 'ready') return `ready on ${state.url}`
  return state.state === 'failed' ? `failed: ${state.message}` : state.state
}

function container(name: string, state: ContainerState): string | undefined {
  switch (state.state) {
    case 'running':
      return `${name}: runs ${ms(state.startedMs)} after start(), life ${state.life}`
    case 'stopping':
      return `${name}: is being stopped with ${state.how}`
    case 'stopped':
    case 'failed':
      return `${name}: ${state.end.message}`
    default:
      return undefined
  }
}

/** `0.2 ms`, `41 ms`, `2.61 s`: three digits. */
export function ms(timeMs: number): string {
  if (timeMs < 10) return `${timeMs.toFixed(1)} ms`
  return timeMs < 1000 ? `${Math.round(timeMs)} ms` : `${(timeMs / 1000).toFixed(2)} s`
}
