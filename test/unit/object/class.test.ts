import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Latch } from '../../../runtime/base/latch.ts'
import { ContainerClass, type ReadyImage } from '../../../runtime/object/class.ts'
import type { ContainerConfig } from '../../../runtime/protocol/child.ts'
import { MoorageError } from '../../../runtime/protocol/errors.ts'
import { type FakeContainer, fakeContainer, settled } from './fakes.ts'

const CONFIG: ContainerConfig = {
  className: 'Quotes',
  name: 'quotes',
  image: { reference: 'quotes:1' },
  images: { worker: { reference: 'worker:2' } },
  instanceType: 'basic',
  maxInstances: undefined,
}
const MACHINE = { cpus: 8, memoryBytes: 64 * 1_073_741_824 }

function image(digest: string): ReadyImage {
  const command = { entrypoint: [], cmd: ['app'], env: [], user: '', workingDir: '' }
  return { name: `quotes@${digest}`, digest, sizeBytes: 1, command }
}

function setUp(more: { config?: Partial<ContainerConfig>; limited?: boolean; limit?: () => Promise<void> } = {}) {
  const made: Latch<ReadyImage>[] = []
  const log: string[] = []
  const boxes: FakeContainer[] = []
  let changeSource: () => void = () => undefined
  const ofClass = new ContainerClass({
    config: { ...CONFIG, ...more.config },
    project: 'example',
    machine: MACHINE,
    limited: more.limited ?? true,
    makeImage: (signal) => {
      const latch = new Latch<ReadyImage>()
      signal.addEventListener('abort', () => latch.reject(new Error('aborted')))
      made.push(latch)
      return latch.promise
    },
    otherImage: async (source) => ({
      ...image('other'),
      name: 'reference' in source ? source.reference : source.dockerfile,
    }),
    prepare: async (name, limits) => {
      log.push(`prepare ${name} ${limits?.Memory}`)
      const box = fakeContainer(`box${boxes.length}`)
      boxes.push(box)
      return box.prepared
    },
    mayWarm: () => true,
    limit: async (container, limits) => {
      log.push(`limit ${container.id} ${limits.Memory}`)
      await more.limit?.()
    },
    watchSource: (onChange) => {
      changeSource = onChange
      return () => log.push('unwatch')
    },
    onNewImage: () => log.push('new image'),
    onImage: (state) => log.push(state.state),
    onProblem: (error) => log.push(String(error)),
  })
  const ready = async (index: number, digest: string): Promise<ReadyImage> => {
    const value = image(digest)
    made[index]?.resolve(value)
    await settled()
    return value
  }
  return { ofClass, made, log, boxes, ready, changeSource: () => changeSource() }
}

const MIB = 1_048_576

describe('the image of a class', () => {
  it('is waited for by starts, and a container of it is kept warm', async () => {
    const { ofClass, ready, log } = setUp()
    void ofClass.makeImage()
    const waiting = ofClass.image({})
    const value = await ready(0, 'sha:1')
    assert.equal(await waiting, value)
    assert.deepEqual(log, ['ready', `prepare sha:1 ${1_024 * MIB}`])
    assert.equal(ofClass.model.image.state, 'ready')
  })

  it('is made once at a time', async () => {
    const { ofClass, made, ready } = setUp()
    const first = ofClass.makeImage()
    const second = ofClass.makeImage()
    await ready(0, 'sha:1')
    assert.deepEqual(await Promise.all([first, second]), [true, true])
    assert.equal(made.length, 1)
  })

  it('whose making is cancelled fails with that, and the one before stays in use', async () => {
    const { ofClass, made, ready } = setUp()
    await ofClass.cancelImage()
    void ofClass.makeImage()
    await ofClass.cancelImage()
    await assert.rejects(ofClass.image({}), {
      code: 'build-failed',
      message: 'The image was not made: it was cancelled.',
    })
    void ofClass.makeImage()
    const first = await ready(1, 'sha:1')
    const again = ofClass.makeImage()
    void ofClass.makeImage(true)
    await ofClass.cancelImage()
    assert.equal(await again, false)
    assert.equal(await ofClass.image({}), first)
    assert.equal(made.length, 3)
    const { image: state } = ofClass.model
    assert.deepEqual([state.state, 'previous' in state && state.previous], ['failed', 'quotes@sha:1'])
  })

  it('made anew with the same content is no new one, and the warm container stays', async () => {
    const { ofClass, ready, boxes } = setUp()
    void ofClass.makeImage()
    await ready(0, 'sha:1')
    const again = ofClass.makeImage()
    await ready(1, 'sha:1')
    assert.equal(await again, false)
    assert.deepEqual([boxes.length, boxes[0]?.closed], [1, 0])
  })

  it('made anew with other content replaces the warm container', async () => {
    const { ofClass, ready, boxes, log } = setUp()
    void ofClass.makeImage()
    await ready(0, 'sha:1')
    const again = ofClass.makeImage()
    await ready(1, 'sha:2')
    assert.equal(await again, true)
    assert.deepEqual([boxes.length, boxes[0]?.closed], [2, 1])
    assert.equal(log.at(-1), `prepare sha:2 ${1_024 * MIB}`)
  })

  it('that could not be made fails the starts that waited, in its words, with file and line in the model', async () => {
    const { ofClass, made } = setUp()
    void ofClass.makeImage()
    const waiting = ofClass.image({})
    made[0]?.reject(
      new MoorageError('build-failed', 'Line 3 failed.', {
        detail: { file: '/p/Dockerfile', line: 3, lastOutput: ['no such file'] },
        advice: ['Mend it.'],
      }),
    )
    await assert.rejects(waiting, { code: 'build-failed', message: 'Line 3 failed.' })
    await settled()
    assert.deepEqual(ofClass.model.image, {
      state: 'failed',
      message: 'Line 3 failed.',
      file: '/p/Dockerfile',
      line: 3,
      lastOutput: ['no such file'],
      advice: ['Mend it.'],
    })
  })

  it('that could not be made anew leaves the old one in use', async () => {
    const { ofClass, made, ready, log } = setUp()
    void ofClass.makeImage()
    const old = await ready(0, 'sha:1')
    const again = ofClass.makeImage()
    made[1]?.reject(new Error('oops'))
    assert.equal(await again, false)
    assert.equal(await ofClass.image({}), old)
    assert.deepEqual(ofClass.model.image, {
      state: 'failed',
      message: 'Error: oops',
      lastOutput: [],
      advice: [],
      previous: 'quotes@sha:1',
    })
    assert.ok(!log.includes('unwatch'))
  })

  it('that failed once serves starts when it is made after all', async () => {
    const { ofClass, made, ready } = setUp()
    void ofClass.makeImage()
    made[0]?.reject(new Error('oops'))
    await settled()
    void ofClass.makeImage()
    const value = await ready(1, 'sha:1')
    assert.equal(await ofClass.image({}), value)
  })

  it('is made anew when what it is built from changes, and told where it became another', async () => {
    const { ofClass, ready, log, changeSource } = setUp()
    void ofClass.makeImage()
    await ready(0, 'sha:1')
    changeSource()
    await ready(1, 'sha:1')
    assert.ok(!log.includes('new image'))
    changeSource()
    await ready(2, 'sha:2')
    assert.equal(log.at(-1), 'new image')
  })

  it('that start() names is one of the config’s, or a reference', async () => {
    const { ofClass } = setUp()
    assert.equal((await ofClass.image({ image: 'worker' })).name, 'worker:2')
    assert.equal((await ofClass.image({ image: 'redis:7' })).name, 'redis:7')
  })
})

describe('the container for a start', () => {
  it('is the warm one', async () => {
    const { ofClass, ready, boxes } = setUp()
    void ofClass.makeImage()
    const value = await ready(0, 'sha:1')
    assert.equal(await ofClass.container(value, {}), boxes[0]?.prepared)
    assert.equal(boxes.length, 1)
    ofClass.warm()
    await settled()
    assert.equal(boxes.length, 2)
  })

  it('is the warm one with other limits, where start() asks for them', async () => {
    const { ofClass, ready, boxes, log } = setUp()
    void ofClass.makeImage()
    const value = await ready(0, 'sha:1')
    assert.equal(await ofClass.container(value, { instance: 'standard-1' }), boxes[0]?.prepared)
    assert.equal(log.at(-1), `limit box0 ${4_096 * MIB}`)
  })

  it('is removed where its limits cannot be changed, and the start fails', async () => {
    const { ofClass, ready, boxes } = setUp({ limit: () => Promise.reject(new Error('no cgroup')) })
    void ofClass.makeImage()
    const value = await ready(0, 'sha:1')
    await assert.rejects(ofClass.container(value, { instance: 'standard-1' }), { message: 'no cgroup' })
    assert.equal(boxes[0]?.closed, 1)
  })

  it('of another image is made for it', async () => {
    const { ofClass, ready, boxes } = setUp()
    void ofClass.makeImage()
    await ready(0, 'sha:1')
    const other = await ofClass.image({ image: 'worker' })
    assert.equal(await ofClass.container(other, {}), boxes[1]?.prepared)
  })
})

describe('limits', () => {
  it('are the config’s, or start()’s', () => {
    const { ofClass } = setUp()
    assert.equal(ofClass.limits({})?.memoryMib, 1_024)
    assert.equal(ofClass.limits({ instance: { memoryMib: 512 } })?.memoryMib, 512)
    assert.deepEqual([ofClass.maxInstances, ofClass.model.instanceType], [20, 'basic'])
  })

  it('of number are the config’s where it names one', () => {
    assert.equal(setUp({ config: { maxInstances: 3 } }).ofClass.maxInstances, 3)
  })

  it('can be switched off', async () => {
    const { ofClass, ready, log } = setUp({ limited: false, config: { maxInstances: 3 } })
    assert.deepEqual([ofClass.limits({}), ofClass.maxInstances], [undefined, Number.POSITIVE_INFINITY])
    void ofClass.makeImage()
    await ready(0, 'sha:1')
    assert.equal(log.at(-1), 'prepare sha:1 undefined')
  })
})

describe('close', () => {
  it('aborts the image, removes the warm container, and fails what waits', async () => {
    const { ofClass, ready, boxes, log } = setUp()
    void ofClass.makeImage()
    await ready(0, 'sha:1')
    void ofClass.makeImage()
    await ofClass.close()
    assert.equal(boxes[0]?.closed, 1)
    assert.deepEqual(log.slice(2), ['unwatch'])
  })

  it('fails starts that wait for an image that is not there yet', async () => {
    const { ofClass } = setUp()
    void ofClass.makeImage()
    const waiting = ofClass.image({})
    await ofClass.close()
    await assert.rejects(waiting, { message: 'The session has ended.' })
  })
})

describe('an engine that is back', () => {
  it('is tried again by an image that failed', async () => {
    const { ofClass, made } = setUp()
    void ofClass.makeImage()
    made[0]?.reject(new Error('socket hang up'))
    await settled()
    ofClass.revive()
    assert.equal(made.length, 2)
  })
})
