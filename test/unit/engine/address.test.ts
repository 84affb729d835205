import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseHost, readAddress, sayAddress } from '../../../runtime/engine/address.ts'

describe('parseHost', () => {
  const forms: [string, object][] = [
    ['unix:///var/run/docker.sock', { socketPath: '/var/run/docker.sock' }],
    ['unix://', { socketPath: '/var/run/docker.sock' }],
    ['/run/user/1000/docker.sock', { socketPath: '/run/user/1000/docker.sock' }],
    ['npipe:////./pipe/docker_engine', { socketPath: '//./pipe/docker_engine' }],
    ['tcp://10.0.0.5:2375', { protocol: 'http', host: '10.0.0.5', port: 2375 }],
    ['tcp://build.example', { protocol: 'http', host: 'build.example', port: 2375 }],
    ['build.example:4000', { protocol: 'http', host: 'build.example', port: 4000 }],
    ['tcp://[::1]:2375', { protocol: 'http', host: '::1', port: 2375 }],
    ['https://build.example', { protocol: 'https', host: 'build.example', port: 2376 }],
    ['ssh://me@build.example', { protocol: 'ssh', host: 'build.example', username: 'me' }],
    ['ssh://build.example:2222', { protocol: 'ssh', host: 'build.example', port: 2222 }],
    [
      'ssh://me@build.example/run/user/1000/docker.sock',
      { protocol: 'ssh', host: 'build.example', username: 'me', socketPath: '/run/user/1000/docker.sock' },
    ],
  ]
  for (const [text, address] of forms) it(`reads ${text}`, () => assert.deepEqual(parseHost(text), address))

  it('takes tcp with certificates for TLS', () => {
    const tls = { ca: 'CA', cert: 'CERT', key: 'KEY' }
    assert.deepEqual(parseHost('tcp://a:2376', tls), { protocol: 'https', host: 'a', port: 2376, ...tls })
  })

  it('says what is wrong', () => {
    assert.throws(() => parseHost('ftp://a'), /"ftp:\/\/" is not a way to reach an engine/)
    assert.throws(() => parseHost('tcp://'), /is not an address|names no host/)
  })
})

describe('readAddress', () => {
  it('takes what was written as JSON and nothing else', () => {
    for (const text of ['unix:///a', 'tcp://a:1', 'ssh://me@a:22']) {
      const address = parseHost(text)
      assert.deepEqual(readAddress(JSON.parse(JSON.stringify(address))), address)
    }
    assert.throws(() => readAddress({ protocol: 'gopher', host: 'a' }))
    assert.throws(() => readAddress({}))
  })
})

describe('sayAddress', () => {
  it('has no secret in it', () => {
    const address = parseHost('tcp://a:2376', { ca: 'CA', cert: 'CERT', key: 'KEY' })
    assert.equal(sayAddress(address), 'tcp (TLS)://a:2376')
    assert.equal(sayAddress(parseHost('ssh://me@a:22')), 'ssh://me@a:22')
    assert.equal(sayAddress(parseHost('unix:///a.sock')), '/a.sock')
  })
})
