import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Note } from '../../../runtime/protocol/worker.ts'
import { Hooks } from '../../../runtime/worker/hooks.ts'

/** An instance with its hooks wrapped, and what was told, a line each. */
function wrapped<T extends object>(instance: T): { instance: T; told: string[] } {
  const told: string[] = []
  new Hooks((note: Note) => {
    if (note.note !== 'hook') return
    const { hook, edge, call, detail, error } = note
    told.push(`${call} ${hook} ${edge}${detail ? ` (${detail})` : ''}${error ? ` error: ${error}` : ''}`)
  }).wrap(instance)
  return { instance, told }
}

class Base {
  onStop(_: unknown): string {
    return 'base'
  }
}

class Quotes extends Base {
  seen: unknown[] = []

  async onStart(): Promise<number> {
    this.seen.push(this)
    return 5
  }

  onError(error: unknown): never {
    throw error
  }

  other(): void {}
}

describe('hooks', () => {
  it('are told at their begin and end', async () => {
    const { instance, told } = wrapped(new Quotes())
    assert.equal(await instance.onStart(), 5)
    assert.deepEqual(told, ['1 onStart begin', '1 onStart end'])
  })

  it('keep their this', async () => {
    const { instance } = wrapped(new Quotes())
    await instance.onStart()
    assert.deepEqual(instance.seen, [instance])
  })

  it('of a parent class are told, with the exit code and the reason', () => {
    const { instance, told } = wrapped(new Quotes())
    assert.equal(instance.onStop({ exitCode: 7, reason: 'exit' }), 'base')
    assert.deepEqual(told, ['1 onStop begin (exit code 7, exit)', '1 onStop end'])
  })

  it('throw what they threw before, and it is told', () => {
    const { instance, told } = wrapped(new Quotes())
    const error = new Error('no luck')
    assert.throws(
      () => instance.onError(error),
      (thrown) => thrown === error,
    )
    assert.deepEqual(told, ['1 onError begin (no luck)', '1 onError end error: no luck'])
  })

  it('that reject are told', async () => {
    const { instance, told } = wrapped({ alarm: async () => Promise.reject(new Error('late')) })
    await assert.rejects(instance.alarm(), { message: 'late' })
    assert.deepEqual(told, ['1 alarm begin', '1 alarm end error: late'])
  })

  it('say which request a fetch is, without its query', () => {
    const { instance, told } = wrapped({ fetch: (_: Request) => 'ok' })
    instance.fetch(new Request('http://x/path?secret=1', { method: 'POST' }))
    assert.equal(told[0], '1 fetch begin (POST /path)')
  })

  it('cannot be seen: no other property, no enumerable one, the same name and length', () => {
    const { instance } = wrapped(new Quotes())
    assert.deepEqual(Object.keys(instance), ['seen'])
    assert.deepEqual([instance.onStop.name, instance.onStop.length], ['onStop', 1])
    assert.equal(Object.hasOwn(instance, 'other'), false)
  })

  it('can be replaced by the class afterwards', () => {
    const { instance, told } = wrapped(new Quotes())
    instance.onStop = () => 'mine'
    assert.equal(instance.onStop(1), 'mine')
    assert.deepEqual(told, [])
  })

  it('that are fields stay fields', () => {
    const { instance } = wrapped({ onStart: () => 1 })
    assert.deepEqual(Object.keys(instance), ['onStart'])
  })

  it('that are missing stay missing', () => {
    assert.equal('onStart' in wrapped({}).instance, false)
  })
})
