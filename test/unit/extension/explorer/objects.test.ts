import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Filter, NO_FILTER } from '../../../../extension/explorer/filter.ts'
import { Objects } from '../../../../extension/explorer/objects.ts'
import type { Target } from '../../../../extension/explorer/target.ts'
import { objectKey, type ProcessId, type SessionModel } from '../../../../runtime/protocol/model.ts'
import { MINUTE, NONE, NOW, object, process, RUNNING, SECOND, session, text } from './models.ts'

const FOLDER = 'file:///agents'
const ALICE = objectKey('Sandbox', 'alice')

/** A tree of one session, whose rows of some depth were looked at. */
class Followed {
  nowMs = NOW
  readonly objects = new Objects(() => this.nowMs)

  constructor(model: SessionModel, depth: number) {
    this.update(model)
    const open = (rows: Objects['roots'], left: number): void => {
      if (left > 0) for (const row of rows) open(row.children, left - 1)
    }
    open(this.objects.roots, depth)
  }

  /** The kinds of what changed; `all` for the list of roots. */
  update(model: SessionModel, filter: Filter = NO_FILTER): string[] {
    const changed = this.objects.update([{ folder: FOLDER, model }], filter)
    return changed.map((target) => (target === undefined ? 'all' : name(target)))
  }
}

function name(target: Target): string {
  return 'object' in target ? `${target.kind} ${target.object.split('/')[1]}` : target.kind
}

describe('what has changed', () => {
  const [alice, bob] = [object('alice', RUNNING), object('bob', RUNNING)]
  const usage = { cpu: 0.5, memoryBytes: 1e6 }

  it('is nothing for the same model, and the roots for the first one', () => {
    const model = session([alice, bob])
    const objects = new Objects(() => NOW)
    assert.deepEqual(objects.update([{ folder: FOLDER, model }], NO_FILTER), [undefined])
    assert.deepEqual(objects.update([{ folder: FOLDER, model }], NO_FILTER), [])
  })

  it('is only the object that changed', () => {
    const tree = new Followed(session([alice, bob]), 1)
    assert.deepEqual(tree.update(session([alice, { ...bob, usage }])), ['object bob'])
  })

  it('is the class where it counts other things, or has other objects', () => {
    const tree = new Followed(session([alice, bob]), 1)
    assert.deepEqual(tree.update(session([alice, object('bob', NONE)])), ['class'])
    assert.deepEqual(tree.update(session([alice, object('bob', NONE), object('eve', NONE)])), ['class'])
  })

  it('is nothing below what nobody has opened', () => {
    const ports = [{ port: 8080, protocol: 'http' }] as const
    assert.deepEqual(new Followed(session([alice]), 1).update(session([{ ...alice, ports }])), [])
    assert.deepEqual(new Followed(session([alice]), 2).update(session([{ ...alice, ports }])), ['object alice'])
  })

  it('is a process by itself, where only that is other', () => {
    const tree = new Followed(session([alice], { processes: [process(48, 'cat')] }), 3)
    tree.nowMs += SECOND
    assert.deepEqual(tree.update(session([alice], { processes: [process(48, 'cat')] })), ['process alice'])
  })

  it('follows the clock: ages at the minute', () => {
    const model = session([alice, bob])
    const tree = new Followed(model, 1)
    tree.nowMs += 51 * SECOND
    assert.deepEqual(tree.update(model), [])
    tree.nowMs += SECOND
    assert.deepEqual(tree.update(model), ['object alice', 'object bob'])
  })

  it('follows the clock: an alarm each second', () => {
    const model = session([{ ...alice, alarm: { at: NOW + MINUTE + 500, why: 'alarm' } }])
    const tree = new Followed(model, 2)
    tree.nowMs += 500
    assert.deepEqual(tree.update(model), [])
    tree.nowMs += 1
    assert.deepEqual(tree.update(model), ['alarm alice'])
    tree.nowMs = NOW + 2 * MINUTE
    assert.deepEqual(tree.update(model), ['object alice'])
    assert.equal(text(tree.objects.roots).at(-1), '    clockface Alarm | now')
  })

  it('hands out the same target for the same thing', () => {
    const tree = new Followed(session([alice]), 2)
    const targets = () => tree.objects.roots[0]?.children[0]?.children.map(({ target }) => target) ?? []
    const before = targets()
    tree.update(session([{ ...alice, usage }]))
    const after = targets()
    assert.equal(after.length, before.length + 1)
    for (const target of before) assert(after.includes(target))
  })
})

describe('a row that is looked for', () => {
  const processes = [process(48, 'cat'), process(49, 'true', { end: { at: NOW, exitCode: 0 } })]
  const model = session([object('alice', RUNNING)], { processes })

  it('is found before anyone has opened what it lies in, with all that it lies in', () => {
    const { objects } = new Followed(model, 0)
    const path = (target: Target): string[] => {
      const parent = objects.parent(target)
      return [...(parent === undefined ? [] : path(parent)), `${objects.row(target)?.label}`]
    }
    const of = (id: string) => path({ kind: 'process', folder: FOLDER, object: ALICE, process: id as ProcessId })
    assert.deepEqual(of('p48'), ['Sandbox', 'alice', 'Processes', 'cat'])
    assert.deepEqual(of('p49'), ['Sandbox', 'alice', 'Finished', 'true'])
    assert.deepEqual(path({ kind: 'root', folder: FOLDER, object: ALICE }).at(-1), 'node server.mjs')
  })

  it('is not found when it is gone, or hidden by a filter', () => {
    const tree = new Followed(model, 0)
    assert.equal(tree.objects.row({ kind: 'object', folder: FOLDER, object: objectKey('Sandbox', 'bob') }), undefined)
    assert.equal(tree.objects.row({ kind: 'object', folder: 'file:///other', object: ALICE }), undefined)
    tree.update(model, { states: ['failed'], text: '' })
    assert.equal(tree.objects.row({ kind: 'object', folder: FOLDER, object: ALICE }), undefined)
  })
})

describe('a filter', () => {
  it('leaves classes, their counts, and the objects that match', () => {
    const objects = [object('alice', RUNNING), object('Malice', NONE), object('bob', NONE)]
    const tree = new Followed(session(objects), 1)
    assert.deepEqual(tree.update(session(objects), { states: ['stopped'], text: 'ali' }), ['class'])
    assert.deepEqual(text(tree.objects.roots), ['symbol-class Sandbox | 1 of 3 running', '  vm Malice | not started'])
    assert.equal(tree.objects.objects.length, 3)
  })
})
