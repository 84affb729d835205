/** Models to make trees of, and trees as text. */
import type { Node } from '../../../../extension/explorer/row.ts'
import {
  type ClassModel,
  type ContainerState,
  type End,
  type ObjectModel,
  objectKey,
  type ProcessId,
  type ProcessModel,
  type ProjectModel,
  type Reason,
  type SessionModel,
} from '../../../../runtime/protocol/model.ts'

export const SECOND = 1000
export const MINUTE = 60 * SECOND
/** When these models are looked at. */
export const NOW = new Date(2026, 10, 24, 14, 14, 19).getTime()

export const SANDBOX: ClassModel = {
  className: 'Sandbox',
  project: 'agents',
  maxInstances: 10,
  instanceType: 'basic',
  limits: { cpus: 0.25, memoryBytes: 2 ** 30 },
  image: { state: 'ready', image: 'moorage/sandbox:9c41e2', digest: 'sha256:1', tookMs: 1, sizeBytes: 312_000_000 },
}

export const RUNNING = {
  state: 'running',
  life: 1,
  since: NOW - 12 * MINUTE - 8 * SECOND,
  containerId: 'c' as never,
  image: 'moorage/sandbox:9c41e2d0a43c',
  internet: false,
  startedMs: 3,
  root: ['node', 'server.mjs'],
} as const satisfies ContainerState

export const NONE = { state: 'none' } as const satisfies ContainerState

export const STARTING = { state: 'starting', life: 1, since: NOW, phase: 'port' } as const satisfies ContainerState

export function project(name: string, port: number): ProjectModel {
  const worker = { state: 'ready', url: `http://127.0.0.1:${port}/`, inspectorUrl: undefined } as const
  return { name, config: `/p/${name}/wrangler.jsonc`, main: `/p/${name}/index.ts`, worker }
}

/** An object of a class; without a name, one that was made from its id. */
export function object(
  name: string | undefined,
  container: ContainerState,
  rest: Partial<ObjectModel> = {},
  className = 'Sandbox',
): ObjectModel {
  const id = '4f1c09e2'.padEnd(60, '0').concat('77ab')
  return {
    key: objectKey(className, name ?? id),
    className,
    id,
    ...(name === undefined ? {} : { name }),
    memory: 'in-memory',
    container,
    ...rest,
  }
}

export function ended(state: 'stopped' | 'failed', reason: Reason, rest: Partial<End> = {}): ContainerState {
  const end: End = { at: NOW - 2 * MINUTE, reason, message: '', advice: [], lastLog: [], ...rest }
  return { state, life: 1, end }
}

/** A process of alice. */
export function process(pid: number, command: string, rest: Partial<ProcessModel> = {}): ProcessModel {
  return {
    id: `p${pid}` as ProcessId,
    object: objectKey('Sandbox', 'alice'),
    life: 1,
    command: command.split(' '),
    cwd: '/app',
    user: 'root',
    by: 'worker',
    terminal: false,
    stdinOpen: false,
    startedAt: NOW - 8 * SECOND,
    pid,
    bytesIn: 0,
    bytesOut: 0,
    ...rest,
  }
}

export function session(objects: readonly ObjectModel[], rest: Partial<SessionModel> = {}): SessionModel {
  return {
    session: 's',
    engine: { state: 'connecting' },
    projects: [project('agents', 8787)],
    classes: [SANDBOX],
    plainClasses: [],
    objects,
    processes: [],
    ...rest,
  }
}

/** Icon, label and description of each row, two spaces a level. */
export function text(nodes: readonly Node[], indent = ''): string[] {
  return nodes.flatMap(({ icon, label, description, children }) => [
    `${indent}${icon.name} ${label}${description === '' ? '' : ` | ${description}`}`,
    ...text(children, `${indent}  `),
  ])
}
