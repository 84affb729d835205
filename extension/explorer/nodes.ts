/** The tree as a value: what a session knows, as rows. Icons, labels and descriptions only; no VS Code here. */
import type {
  ClassModel,
  ContainerState,
  ObjectModel,
  ProjectModel,
  SessionModel,
} from '../../runtime/protocol/model.ts'
import { age, ago, clock, facts, shortId } from './words.ts'

/** A row of the tree. */
export interface Node {
  /** Stays the same as long as the thing is the same, so that open rows stay open. */
  readonly id: string
  readonly kind: 'project' | 'class' | 'image-failure' | 'object' | 'container'
  readonly label: string
  readonly description: string
  readonly icon: Icon
  readonly children: readonly Node[]
  /** Whether its children show before anyone has opened it. */
  readonly open: boolean
}

/** A codicon and a theme colour. */
export interface Icon {
  readonly name: string
  readonly color?: string
}

const SPINNING: Icon = { name: 'loading~spin', color: 'charts.blue' }
const FAILED: Icon = { name: 'error', color: 'charts.red' }

/**
 * The rows of a session: its classes with their objects, in the order of names. Classes lie below their project where there are
 * several.
 */
export function nodesOf(model: SessionModel, nowMs: number): readonly Node[] {
  const [only, ...more] = model.projects
  if (only === undefined || more.length === 0) return model.classes.map((one) => classNode(one, model, nowMs))
  return model.projects.map((project) => ({
    id: `project:${project.config}`,
    kind: 'project',
    label: project.name,
    description: portOf(project),
    icon: { name: 'root-folder' },
    children: model.classes.filter((one) => one.project === project.name).map((one) => classNode(one, model, nowMs)),
    open: true,
  }))
}

function portOf({ worker }: ProjectModel): string {
  return worker.state === 'ready' ? `:${new URL(worker.url).port}` : worker.state
}

function classNode(one: ClassModel, model: SessionModel, nowMs: number): Node {
  const objects = model.objects.filter((object) => object.className === one.className).sort(byName)
  const failure = one.image.state === 'failed' ? one.image : undefined
  const children = objects.map((object) => objectNode(object, one, nowMs))
  if (failure !== undefined) {
    children.unshift({
      id: `image-failure:${one.className}`,
      kind: 'image-failure',
      // The place stands beside it.
      label: failure.message.replace(`${failure.file}:${failure.line}: `, ''),
      description: failure.file === undefined ? '' : facts(place(failure.file, failure.line)),
      icon: FAILED,
      children: [],
      open: false,
    })
  }
  return {
    id: `class:${one.project}:${one.className}`,
    kind: 'class',
    label: one.className,
    description: facts(imageWords(one), counts(objects)),
    icon: classIcon(one),
    children,
    open: true,
  }
}

function classIcon({ image }: ClassModel): Icon {
  if (image.state === 'failed') return FAILED
  if (image.state === 'preparing') return SPINNING
  return { name: 'symbol-class', color: 'symbolIcon.classForeground' }
}

function imageWords({ image }: ClassModel): string | undefined {
  if (image.state === 'failed') return 'image failed'
  if (image.state !== 'preparing') return undefined
  const verb = image.how === 'build' ? 'building image' : 'pulling image'
  return image.step === undefined || image.steps === undefined ? verb : `${verb} ${image.step}/${image.steps}`
}

function counts(objects: readonly ObjectModel[]): string {
  if (objects.length === 0) return ''
  const of = (state: ContainerState['state']) => objects.filter((object) => object.container.state === state).length
  const [failed, starting] = [of('failed'), of('starting')]
  return facts(
    `${of('running')} of ${objects.length} running`,
    failed > 0 ? `${failed} failed` : undefined,
    starting > 0 ? `${starting} starting` : undefined,
  )
}

function objectNode(object: ObjectModel, one: ClassModel, nowMs: number): Node {
  const { container } = object
  return {
    id: `object:${object.key}`,
    kind: 'object',
    label: object.name ?? shortId(object.id),
    ...stateOf(object, nowMs),
    children: container.state === 'running' ? [containerNode(object, container, one)] : [],
    open: false,
  }
}

function stateOf({ container, memory }: ObjectModel, nowMs: number): { icon: Icon; description: string } {
  switch (container.state) {
    case 'running':
      return {
        icon: { name: 'vm-running', color: 'charts.green' },
        description: ['running', age(container.since, nowMs)].filter((word) => word !== undefined).join(' '),
      }
    case 'starting':
      return { icon: SPINNING, description: facts('starting', PHASES[container.phase]) }
    case 'stopping':
      return { icon: SPINNING, description: facts('stopping', `${container.how} ${ago(container.since, nowMs)}`) }
    case 'failed':
      return { icon: FAILED, description: endWords(container, nowMs) }
    case 'stopped':
    case 'none':
      return memory === 'asleep'
        ? { icon: { name: 'vm-outline', color: 'disabledForeground' }, description: 'asleep' }
        : { icon: { name: 'vm' }, description: container.state === 'none' ? 'not started' : endWords(container, nowMs) }
  }
}

/** What a start waits for. */
const PHASES = {
  image: 'waiting for its image',
  create: 'creating the container',
  start: 'starting the container',
  agent: 'waiting for the agent',
  port: 'waiting for its port',
} as const

function endWords({ state, end }: ContainerState & { state: 'stopped' | 'failed' }, nowMs: number): string {
  const { reason } = end
  const when = ago(end.at, nowMs)
  switch (reason.kind) {
    case 'exited':
    case 'signalled':
    case 'idle': {
      const why = reason.kind === 'idle' ? 'idle' : undefined
      return state === 'failed'
        ? facts(`exit ${reason.exitCode}`, when, why)
        : facts('stopped', `exit ${reason.exitCode}`, when, why)
    }
    case 'out-of-memory':
      return facts(`exit ${reason.exitCode}`, when, 'out of memory')
    case 'start-failed':
      return facts('did not start', when, reason.message)
    default:
      return facts('stopped', when, ENDS[reason.kind])
  }
}

/** Ends without an exit code of the app's own. */
const ENDS = {
  destroyed: 'destroyed',
  abort: 'object aborted',
  eviction: 'object evicted',
  'image-rebuilt': 'image rebuilt',
  'engine-gone': 'engine gone',
  'session-ended': 'session ended',
  'removed-outside': 'removed from outside',
  'agent-lost': 'agent lost',
} as const

function containerNode(object: ObjectModel, container: ContainerState & { state: 'running' }, one: ClassModel): Node {
  return {
    id: `container:${object.key}`,
    kind: 'container',
    label: shortImage(container.image),
    description: facts(one.instanceType, `since ${clock(container.since)}`),
    icon: { name: 'package' },
    children: [],
    open: false,
  }
}

/** As people write images: without registry and owner, digests and long tags to six digits: `sandbox:9c41e2`. */
function shortImage(image: string): string {
  return image
    .replace(/^sha256:/, '')
    .replace(/^.*\/(?=[^/]+$)/, '')
    .replace(/([0-9a-f]{6})[0-9a-f]{6,}$/, '$1')
}

function place(file: string, line: number | undefined): string {
  const name = file.split(/[\\/]/).at(-1) ?? file
  return line === undefined ? name : `${name}:${line}`
}

/** Objects with a name first, then by id. */
function byName(a: ObjectModel, b: ObjectModel): number {
  if ((a.name === undefined) !== (b.name === undefined)) return a.name === undefined ? 1 : -1
  return (a.name ?? a.id).localeCompare(b.name ?? b.id, 'en', { numeric: true })
}
