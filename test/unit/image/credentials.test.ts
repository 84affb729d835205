import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { buildHeader, type LoginSource, loginAt, pullHeader, registryOf } from '../../../runtime/image/credentials.ts'

const base64 = (text: string) => Buffer.from(text).toString('base64')
const decode = (text: string | undefined) => JSON.parse(Buffer.from(text ?? '', 'base64url').toString())

function source(config: object | undefined, helpers: Record<string, Record<string, object>> = {}): LoginSource {
  return {
    folder: '/home/me/.docker',
    read: async (file) => {
      if (config === undefined || file !== '/home/me/.docker/config.json') throw new Error('ENOENT')
      return JSON.stringify(config)
    },
    run: async (program, input) => {
      const known = helpers[program]?.[input]
      if (!known) throw new Error('credentials not found in native keychain')
      return JSON.stringify(known)
    },
  }
}

describe('registryOf', () => {
  const forms: [string, string][] = [
    ['node:22', 'docker.io'],
    ['me/app', 'docker.io'],
    ['ghcr.io/me/app:1', 'ghcr.io'],
    ['localhost/app', 'localhost'],
    ['10.0.0.1:5000/app@sha256:1', '10.0.0.1:5000'],
  ]
  for (const [reference, registry] of forms)
    it(`of ${reference} is ${registry}`, () => assert.equal(registryOf(reference), registry))
})

describe('loginAt', () => {
  it('reads what docker login wrote', async () => {
    const logins = source({
      auths: { 'ghcr.io': { auth: base64('me:a:b') }, 'https://index.docker.io/v1/': { auth: base64('hub:pw') } },
    })
    assert.deepEqual(await loginAt('ghcr.io', logins), { username: 'me', password: 'a:b', serveraddress: 'ghcr.io' })
    assert.equal((await loginAt('docker.io', logins))?.username, 'hub')
    assert.equal(await loginAt('quay.io', logins), undefined)
  })

  it('asks the helper of a registry, and the general one', async () => {
    const config = { auths: { 'ghcr.io': {} }, credsStore: 'desktop', credHelpers: { 'gcr.io': 'gcloud' } }
    const logins = source(config, {
      'docker-credential-desktop': { 'ghcr.io': { Username: 'me', Secret: 'pw' } },
      'docker-credential-gcloud': { 'gcr.io': { Username: '<token>', Secret: 'long' } },
    })
    assert.deepEqual(await loginAt('ghcr.io', logins), { username: 'me', password: 'pw', serveraddress: 'ghcr.io' })
    assert.deepEqual(await loginAt('gcr.io', logins), { identitytoken: 'long', serveraddress: 'gcr.io' })
    assert.equal(await loginAt('quay.io', logins), undefined)
  })

  it('runs nothing but a helper by its name', async () => {
    const logins = source(
      { credsStore: '../evil' },
      { 'docker-credential-../evil': { 'ghcr.io': { Username: 'x', Secret: 'y' } } },
    )
    assert.equal(await loginAt('ghcr.io', logins), undefined)
  })

  it('is none where there is no config', async () =>
    assert.equal(await loginAt('ghcr.io', source(undefined)), undefined))
})

describe('the headers', () => {
  const logins = source({ auths: { 'ghcr.io': { auth: base64('me:pw') } } })

  it('of a pull', async () => {
    assert.deepEqual(decode(await pullHeader('ghcr.io/a/b:1', logins)), {
      username: 'me',
      password: 'pw',
      serveraddress: 'ghcr.io',
    })
    assert.equal(await pullHeader('node:22', logins), undefined)
  })

  it('of a build tell a registry only what is its own', async () => {
    assert.deepEqual(Object.keys(decode(await buildHeader(['node:22', 'ghcr.io/a', 'ghcr.io/b'], logins))), ['ghcr.io'])
    assert.equal(await buildHeader(['node:22', 'scratch'], logins), undefined)
  })
})
