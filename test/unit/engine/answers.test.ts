/** The samples were recorded from Docker 20.10.24. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import {
  Container,
  ContainerList,
  Created,
  check,
  Event,
  Exit,
  Info,
  Network,
  Version,
  VolumeList,
} from '../../../runtime/engine/answers.ts'
import { Image, ImageList } from '../../../runtime/engine/image-answers.ts'
import { MoorageError } from '../../../runtime/protocol/errors.ts'

const sample = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`samples/${name}.json`, import.meta.url), 'utf8'))

const ID = 'ac9d9821a6b3e43a136c89061308b37c69c19adcd0514796f812c03c3613f886'

describe('the answers of Docker 20.10', () => {
  it('to version', () => {
    const { kernel: _, ...version } = Version.parse(sample('version'))
    assert.deepEqual(version, {
      version: '20.10.24+dfsg1',
      apiVersion: '1.41',
      minApiVersion: '1.12',
      os: 'linux',
      arch: 'amd64',
      product: 'Docker Engine',
    })
  })

  it('to info', () => {
    const { cgroupVersion, rootless, userns } = Info.parse(sample('info'))
    assert.deepEqual({ cgroupVersion, rootless, userns }, { cgroupVersion: '1', rootless: false, userns: false })
  })

  it('to create', () => assert.deepEqual(Created.parse(sample('create')), { id: ID, warnings: [] }))

  it('to inspect, before the start', () => {
    const { status, running, pid, startedAt, ports, labels, name } = Container.parse(sample('inspect-created'))
    assert.deepEqual(
      { status, running, pid, startedAt, ports, labels, name },
      {
        status: 'created',
        running: false,
        pid: 0,
        startedAt: undefined,
        ports: {},
        labels: { 'moorage.session': 'sample' },
        name: 'moorage-sample',
      },
    )
  })

  it('to inspect, running', () => {
    const info = Container.parse(sample('inspect-running'))
    assert.deepEqual([info.status, info.running, info.paused, info.outOfMemory], ['running', true, false, false])
    assert.ok(info.pid > 0 && (info.startedAt ?? 0) > 1.7e12)
    assert.deepEqual(Object.keys(info.ports), ['7001/tcp'])
    assert.equal(info.ports['7001/tcp']?.[0]?.host, '127.0.0.1')
    assert.ok((info.ports['7001/tcp']?.[0]?.port ?? 0) > 1024)
    assert.match(info.networks.bridge?.address ?? '', /^172\.17\./)
  })

  it('to list', () => {
    const [one, ...more] = ContainerList.parse(sample('containers'))
    assert.equal(more.length, 0)
    assert.deepEqual([one?.id, one?.name, one?.status], [ID, 'moorage-sample', 'running'])
  })

  it('about a network', () => {
    const { name, driver, internal, subnet, containers } = Network.parse(sample('network'))
    assert.deepEqual([name, driver, internal, containers], ['moorage-sample', 'bridge', false, []])
    assert.match(subnet ?? '', /^172\.\d+\.0\.0\/16$/)
  })

  it('about volumes, of which there are none', () => assert.deepEqual(VolumeList.parse(sample('volumes')), []))

  it('about an image', () => {
    const image = Image.parse(sample('image'))
    assert.match(image.id, /^sha256:[0-9a-f]{64}$/)
    assert.deepEqual([image.os, image.architecture, image.tags], ['linux', 'amd64', ['moorage-base:node']])
    assert.deepEqual(image.cmd, ['/bin/sh'])
    assert.equal(image.healthcheck, undefined)
    assert.equal(image.layers.length, 1)
  })

  it('about images', () => {
    assert.deepEqual(ImageList.parse(sample('images'))[0]?.labels, { 'moorage.image': 'p/Quote' })
  })

  it('as events', () => {
    const events = Event.array().parse(sample('events'))
    assert.deepEqual(
      events.map((event) => `${event.type} ${event.action} ${event.attributes.exitCode ?? ''}`.trim()),
      ['container create', 'container start', 'container kill', 'container die 137'],
    )
    assert.ok(events.every((event) => event.id === ID && event.at > 1.7e12))
  })
})

describe('the answers of others', () => {
  it('may leave out what Podman leaves out', () => {
    const image = Image.parse({ Id: 'sha256:1', Size: 1, Architecture: 'arm64', Os: 'linux', Config: null })
    assert.deepEqual([image.entrypoint, image.env, image.user, image.layers], [[], [], '', []])
    const exit = Exit.parse({ StatusCode: 3, Error: null })
    assert.deepEqual(exit, { exitCode: 3, error: undefined })
    assert.equal(Event.parse({ Type: 'container', Action: 'died', Actor: { ID: 'a' }, time: 2 }).at, 2000)
  })

  it('lose what is appended to an action', () => {
    const event = Event.parse({ Type: 'container', Action: 'health_status: healthy', Actor: { ID: 'a' } })
    assert.equal(event.action, 'health_status')
  })
})

describe('check', () => {
  it('names the part that is not understood', () => {
    assert.throws(
      () => check(Created, { Id: 5 }, 'create a container'),
      (error) => error instanceof MoorageError && error.code === 'engine-error' && /\(Id: .*string/.test(error.message),
    )
  })
})
