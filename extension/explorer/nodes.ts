/** The rows of a session: its classes with their objects. What has not changed is not made again. */
import * as l10n from '@vscode/l10n'
import type {
  ClassModel,
  ImageState,
  ObjectKey,
  ObjectModel,
  PlainClassModel,
  ProcessModel,
  ProjectModel,
  SessionModel,
} from '../../runtime/protocol/model.ts'
import { failureWords, instructionWords } from '../session/image-words.ts'
import { type Filter, matches } from './filter.ts'
import { objectRow } from './object.ts'
import { type Making, spoken } from './processes.ts'
import { type Icon, Row } from './row.ts'
import { FAILED, SPINNING } from './state.ts'
import { classWords, count, facts, oneLine } from './words.ts'

export type { Icon, Node } from './row.ts'

const CLASS: Icon = { name: 'symbol-class', color: 'symbolIcon.classForeground' }
const PLAIN_CLASS: Icon = { name: 'symbol-class', color: 'disabledForeground' }

/** More of a failure than this stands in the tooltip. */
const MESSAGE_LENGTH = 100

const NO_PROCESSES: readonly ProcessModel[] = []

/** A row, and what it was made of. */
interface Made {
  readonly object: ObjectModel
  readonly one: ClassModel
  readonly processes: readonly ProcessModel[]
  readonly row: Row
}

/** Makes the rows of one session, again and again. Relies on it that parts of a model that have not changed keep their identity. */
export class SessionRows {
  readonly #making: Making
  #model: SessionModel | undefined
  #objects: ReadonlyMap<string, readonly ObjectModel[]> = new Map()
  #processes: ReadonlyMap<ObjectKey, readonly ProcessModel[]> = new Map()
  #made = new Map<ObjectKey, Made>()

  constructor(making: Making) {
    this.#making = making
  }

  /** One for each project, with its classes. */
  projects(model: SessionModel, filter: Filter): readonly Row[] {
    return model.projects.map((project) => {
      const description = portOf(project)
      return new Row({
        target: this.#making.same({ kind: 'project', folder: this.#making.folder, project: project.name }),
        label: project.name,
        description,
        icon: { name: 'root-folder' },
        sentence: l10n.t('Project {0}: {1}', project.name, description),
        fold: 'open',
        children: () => this.classes(model, filter, project.name),
      })
    })
  }

  /** One for each class, of one project or of all: those with a container first. */
  classes(model: SessionModel, filter: Filter, project?: string): readonly Row[] {
    this.#take(model)
    const isOf = (one: { readonly project: string }) => project === undefined || one.project === project
    return [
      ...model.classes.filter(isOf).map((one) => this.#class(one, filter)),
      ...model.plainClasses.filter(isOf).map((one) => this.#plainClass(one)),
    ]
  }

  #take(model: SessionModel): void {
    if (model.objects !== this.#model?.objects) {
      this.#objects = sorted(model.objects, this.#objects)
      const made = new Map<ObjectKey, Made>()
      for (const { key } of model.objects) {
        const known = this.#made.get(key)
        if (known !== undefined) made.set(key, known)
      }
      this.#made = made
    }
    if (model.processes !== this.#model?.processes) this.#processes = byObject(model.processes, this.#processes)
    this.#model = model
  }

  #class(one: ClassModel, filter: Filter): Row {
    const objects = this.#objects.get(one.className) ?? []
    const description = facts(imageWords(one.image), classWords(one, objects))
    return new Row({
      target: this.#making.same({ kind: 'class', folder: this.#making.folder, className: one.className }),
      label: one.className,
      description,
      icon: one.image.state === 'failed' ? FAILED : one.image.state === 'preparing' ? SPINNING : CLASS,
      sentence: l10n.t('Class {0}: {1}', one.className, spoken(description)),
      // Also before it has any: VS Code takes a row's first word for good.
      fold: 'open',
      children: () => [
        ...this.#failure(one),
        ...objects.filter((object) => matches(filter, object)).map((object) => this.#object(object, one)),
      ],
    })
  }

  #object(object: ObjectModel, one: ClassModel): Row {
    const processes = this.#processes.get(object.key) ?? NO_PROCESSES
    const made = this.#made.get(object.key)
    const isSame = made?.object === object && made.one === one && made.processes === processes
    if (isSame && this.#making.now() < made.row.untilMs) return made.row
    const row = objectRow(this.#making, object, one, processes)
    this.#made.set(object.key, { object, one, processes, row })
    return row
  }

  #failure({ className, image }: ClassModel): readonly Row[] {
    if (image.state !== 'failed') return []
    const { instruction, exitCode, file, line } = image
    const label =
      instruction === undefined ? oneLine(failureWords(image), MESSAGE_LENGTH) : instructionWords(instruction)
    const exit = exitCode === undefined ? undefined : l10n.t('exit {0}', exitCode)
    const description = facts(exit, file === undefined ? undefined : place(file, line))
    return [
      new Row({
        target: this.#making.same({ kind: 'image-failure', folder: this.#making.folder, className }),
        label,
        description,
        icon: FAILED,
        sentence: l10n.t('The image failed: {0}', facts(label, description).replaceAll(' · ', ', ')),
      }),
    ]
  }

  #plainClass({ className, objects }: PlainClassModel): Row {
    const without = l10n.t('no container')
    const description = objects === 0 ? without : `${count(objects)}, ${without}`
    return new Row({
      target: this.#making.same({ kind: 'class', folder: this.#making.folder, className }),
      label: className,
      description,
      icon: PLAIN_CLASS,
      sentence: l10n.t('Class {0}: {1}', className, description),
      can: undefined,
    })
  }
}

function portOf({ worker }: ProjectModel): string {
  switch (worker.state) {
    case 'ready':
      return `:${new URL(worker.url).port}`
    case 'starting':
      return l10n.t('starting')
    case 'reloading':
      return l10n.t('reloading')
    case 'failed':
      return l10n.t('failed')
  }
}

function imageWords(image: ImageState): string | undefined {
  if (image.state === 'failed') return l10n.t('image failed')
  if (image.state !== 'preparing') return undefined
  const what = image.how === 'build' ? l10n.t('building image') : l10n.t('pulling image')
  return image.step === undefined || image.steps === undefined ? what : `${what} ${image.step}/${image.steps}`
}

function place(file: string, line: number | undefined): string {
  const name = file.split(/[\\/]/).at(-1) ?? file
  return line === undefined ? name : `${name}:${line}`
}

/** By class, in the order of names. Where a class has the same objects as before, their order is taken over. */
function sorted(
  objects: readonly ObjectModel[],
  before: ReadonlyMap<string, readonly ObjectModel[]>,
): ReadonlyMap<string, readonly ObjectModel[]> {
  const classes = new Map<string, ObjectModel[]>()
  for (const object of objects) {
    const of = classes.get(object.className)
    if (of === undefined) classes.set(object.className, [object])
    else of.push(object)
  }
  for (const [name, of] of classes) classes.set(name, inOrderOf(before.get(name) ?? [], of) ?? of.sort(byName))
  return classes
}

/** In the order of a list that has the same objects with the same names: comparing names as people do is slow. */
function inOrderOf(before: readonly ObjectModel[], objects: readonly ObjectModel[]): ObjectModel[] | undefined {
  if (before.length !== objects.length) return undefined
  const now = new Map(objects.map((object) => [object.key, object]))
  const all: ObjectModel[] = []
  for (const { key, name } of before) {
    const object = now.get(key)
    if (object === undefined || object.name !== name) return undefined
    all.push(object)
  }
  return all
}

const NAMES = new Intl.Collator('en', { numeric: true })

/** Objects with a name first, then by id. */
function byName(a: ObjectModel, b: ObjectModel): number {
  if ((a.name === undefined) !== (b.name === undefined)) return a.name === undefined ? 1 : -1
  return NAMES.compare(a.name ?? a.id, b.name ?? b.id)
}

/** The processes of each object. Those of an object that are the same as before are the same list. */
function byObject(
  processes: readonly ProcessModel[],
  before: ReadonlyMap<ObjectKey, readonly ProcessModel[]>,
): ReadonlyMap<ObjectKey, readonly ProcessModel[]> {
  const all = new Map<ObjectKey, readonly ProcessModel[]>()
  for (const process of processes) {
    const of = all.get(process.object) as ProcessModel[] | undefined
    if (of === undefined) all.set(process.object, [process])
    else of.push(process)
  }
  for (const [key, of] of all) {
    const old = before.get(key)
    if (old?.length === of.length && old.every((process, at) => process === of[at])) all.set(key, old)
  }
  return all
}
