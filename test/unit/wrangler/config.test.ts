import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { platformSettings, readProject, type WranglerConfig } from '../../../runtime/wrangler/config.ts'

const files = new Set(['/p/Dockerfile', '/p/images/small.dockerfile'])

const read = (config: WranglerConfig) =>
  readProject(config, {
    config: '/p/wrangler.jsonc',
    wranglerVersion: '4.164.0',
    isFile: (path) => path.endsWith('.ts') || files.has(path),
  })

const basic: WranglerConfig = {
  name: 'quotes',
  main: '/p/src/index.ts',
  compatibility_date: '2026-04-01',
  containers: [{ class_name: 'Quotes', image: './Dockerfile' }],
}

const image = (container: NonNullable<WranglerConfig['containers']>[number]) =>
  read({ ...basic, containers: [{ class_name: 'Quotes', ...container }] }).containers[0]?.image

describe('a project', () => {
  it('is what wrangler reads, with absolute paths', () => {
    assert.deepEqual(read(basic), {
      name: 'quotes',
      config: '/p/wrangler.jsonc',
      wranglerVersion: '4.164.0',
      main: '/p/src/index.ts',
      compatibilityDate: '2026-04-01',
      compatibilityFlags: [],
      containers: [
        {
          className: 'Quotes',
          name: 'quotes',
          image: { dockerfile: '/p/Dockerfile', context: '/p', args: {} },
          images: {},
          instanceType: 'lite',
          maxInstances: undefined,
        },
      ],
      classes: ['Quotes'],
    })
  })

  it('has the classes of its own bindings and exports, and leaves those of other scripts alone', () => {
    const { classes } = read({
      ...basic,
      durable_objects: {
        bindings: [
          { class_name: 'Plain' },
          { class_name: 'Theirs', script_name: 'elsewhere' },
          { class_name: 'Mine', script_name: 'quotes' },
        ],
      },
      exports: {
        Newer: { type: 'durable-object' },
        Gone: { type: 'durable-object', state: 'deleted' },
        Flow: { type: 'workflow' },
      },
    })
    assert.deepEqual(classes, ['Plain', 'Mine', 'Newer', 'Quotes'])
  })

  it('finds the class of a container in exports', () => {
    const project = read({
      ...basic,
      containers: [{ name: 'app', image: './Dockerfile' }],
      exports: { Newer: { type: 'durable-object', container: 'app' } },
    })
    assert.deepEqual(
      project.containers.map(({ className, name }) => [className, name]),
      [['Newer', 'app']],
    )
  })

  it('must have containers', () => {
    assert.throws(() => read({ ...basic, containers: [] }), { code: 'no-containers' })
  })

  it('must have a main module', () => {
    assert.throws(() => read({ containers: basic.containers ?? [] }), { code: 'config-invalid' })
  })

  it('must have a class for each container', () => {
    assert.throws(() => read({ ...basic, containers: [{ name: 'app', image: './Dockerfile' }] }), {
      code: 'config-invalid',
      message: 'The container app in /p/wrangler.jsonc belongs to no class.',
    })
  })
})

describe('an image', () => {
  it('is a Dockerfile with its context and build arguments', () => {
    assert.deepEqual(image({ image: './images/small.dockerfile', image_build_context: '.', image_vars: { A: 'b' } }), {
      dockerfile: '/p/images/small.dockerfile',
      context: '/p',
      args: { A: 'b' },
    })
  })

  it('has the Dockerfile’s folder as context where none is named', () => {
    assert.deepEqual(image({ image: '/p/images/small.dockerfile' }), {
      dockerfile: '/p/images/small.dockerfile',
      context: '/p/images',
      args: {},
    })
  })

  for (const reference of ['node:22-alpine', 'registry.cloudflare.com/acc/app:1', 'localhost:5000/app@sha256:abc']) {
    it(`may be the reference ${reference}`, () => assert.deepEqual(image({ image: reference }), { reference }))
  }

  for (const path of ['./missing', '/p/missing', '../Dockerfile', 'Dockerfile.dev', 'sub/Dockerfile']) {
    it(`that looks like the path ${path} must be there`, () => {
      assert.throws(() => image({ image: path }), { code: 'dockerfile-missing' })
    })
  }

  it('may be one of several with names; the first stands for the class', () => {
    const [container] = read({
      ...basic,
      containers: [
        {
          class_name: 'Quotes',
          images: {
            small: { dockerfile: 'images/small.dockerfile', build_context: '.', build_vars: { A: '1' } },
            other: { image: 'x@sha256:1' },
          },
        },
      ],
    }).containers
    const small = { dockerfile: '/p/images/small.dockerfile', context: '/p', args: { A: '1' } }
    assert.deepEqual(container?.images, { small, other: { reference: 'x@sha256:1' } })
    assert.deepEqual(container?.image, small)
  })
})

describe('an instance type', () => {
  const type = (instance_type: NonNullable<WranglerConfig['containers']>[number]['instance_type']) =>
    read({
      ...basic,
      containers: [{ class_name: 'Quotes', image: './Dockerfile', ...(instance_type && { instance_type }) }],
    }).containers[0]?.instanceType

  it('is lite where there is none', () => assert.equal(type(undefined), 'lite'))
  it('is taken by name', () => assert.equal(type('standard-2'), 'standard-2'))
  it('has the new names for the old', () => assert.deepEqual([type('dev'), type('standard')], ['lite', 'standard-1']))
  it('may be numbers', () => {
    assert.deepEqual(type({ vcpu: 0.5, memory_mib: 512, disk_mb: 2000 }), { vcpu: 0.5, memoryMib: 512, diskMb: 2000 })
  })
})

describe('the compatibility date', () => {
  const captures = (compatibilityDate: string, ...compatibilityFlags: string[]) =>
    platformSettings({ compatibilityDate, compatibilityFlags }).captures

  it('decides whether promises reject', () => {
    assert.deepEqual([captures('2022-10-30'), captures('2022-10-31'), captures('')], [false, true, true])
  })

  it('is overruled by flags', () => {
    assert.equal(captures('2022-01-01', 'capture_async_api_throws'), true)
    assert.equal(captures('2026-01-01', 'do_not_capture_async_api_throws'), false)
  })

  it('comes with the experimental flag or without', () => {
    assert.equal(platformSettings({ compatibilityDate: '', compatibilityFlags: ['experimental'] }).experimental, true)
  })
})
