import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseDockerfile } from '../../../runtime/image/dockerfile.ts'
import { placeOf } from '../../../runtime/image/failure.ts'
import { imageName } from '../../../runtime/image/image.ts'
import { checkPlatform } from '../../../runtime/image/platform.ts'

describe('imageName', () => {
  it('is a name that every engine takes', () => {
    assert.equal(imageName('my-app', 'QuoteContainer'), 'moorage/my-app-quotecontainer')
    assert.equal(imageName('_My App_', 'A$B'), 'moorage/my-app-a-b')
    assert.equal(imageName('日本', 'X'), 'moorage/x-x')
  })
})

describe('placeOf', () => {
  const file = parseDockerfile('FROM a\nRUN one \\\n  two\n\nFOO bar')

  it('is the instruction that ran', () => {
    assert.equal(placeOf('returned a non-zero code: 1', file.instructions[1], file)?.line, 2)
    assert.equal(placeOf('anything', undefined, file), undefined)
  })

  it('is the instruction at the line that the builder names', () => {
    assert.equal(placeOf('dockerfile parse error line 5: unknown instruction: FOO', undefined, file)?.line, 5)
    assert.equal(placeOf('dockerfile parse error on line 3: x', undefined, file)?.line, 2)
    assert.equal(placeOf('Dockerfile parse error line 4: x', undefined, file)?.line, 2)
  })
})

describe('checkPlatform', () => {
  const engine = {
    version: '1',
    apiVersion: '1.41',
    minApiVersion: '1.12',
    os: 'linux',
    arch: 'amd64',
    kernel: '',
    product: 'Docker Engine',
  }
  const image = (architecture: string, os = 'linux') => ({ os, architecture, variant: '' })
  const none = async () => Promise.reject(new Error())

  it('lets through what the engine runs', async () => {
    assert.deepEqual(await checkPlatform(engine, image('amd64'), 'a', { read: none }), [])
    assert.deepEqual(await checkPlatform(engine, image('386'), 'a', { read: none }), [])
    assert.deepEqual(await checkPlatform(engine, image(''), 'a', { read: none }), [])
  })

  it('names another platform before it fails', async () => {
    await assert.rejects(checkPlatform(engine, image('arm64'), 'a:1', { read: none }), {
      code: 'image-platform',
      message: 'The image a:1 is for linux/arm64, and the engine runs linux/amd64.',
    })
    await assert.rejects(checkPlatform(engine, image('amd64', 'windows'), 'a:1', { read: none }), {
      code: 'image-platform',
    })
  })

  it('only warns where the engine emulates', async () => {
    const read = async (file: string) =>
      file.endsWith('/qemu-aarch64') ? 'enabled\ninterpreter /usr/bin/qemu' : none()
    assert.match((await checkPlatform(engine, image('arm64'), 'a', { read }))[0] ?? '', /runs emulated/)
    const desktop = { ...engine, product: 'Docker Desktop 4.30' }
    assert.equal((await checkPlatform(desktop, image('arm64'), 'a', { read: none })).length, 1)
    await assert.rejects(checkPlatform(engine, image('arm64'), 'a', { read: async () => 'disabled' }))
  })

  it('can be switched off', async () => {
    assert.equal((await checkPlatform(engine, image('arm64'), 'a', { read: none, anyPlatform: true })).length, 1)
  })
})
